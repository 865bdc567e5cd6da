#!/bin/sh
# plays.sh FOLDER TEXT: makes FOLDER/plays.safetensors of a text, the plays of Shakespeare.
. "$(dirname "$0")/common.sh"
folder=$1
mkdir -p "$folder"
make_model plays "the plays of Shakespeare: English verse and prose" "$2" --encoding characters --hidden 256 --layers 2 \
  --dropout 0.2 --steps 2500
