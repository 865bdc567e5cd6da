#!/bin/sh
# drums.sh FOLDER: makes FOLDER/drums.safetensors of the grooves in drums.py.
. "$(dirname "$0")/common.sh"
folder=$1
mkdir -p "$folder"
python3 "$root/models/make/drums.py" "$folder/grooves"
make_model drums "32 grooves for drums, rock to rumba, with fills" "$folder/grooves" --encoding drums --hidden 192 --layers 1 \
  --dropout 0.3 --steps 2000
