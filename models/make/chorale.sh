#!/bin/sh
# chorale.sh FOLDER: makes FOLDER/chorale.safetensors of the chorales of J. S. Bach. Needs Python 3 and the network.
. "$(dirname "$0")/common.sh"
folder=$1
mkdir -p "$folder"
[ -d "$folder/chorales" ] || "$(python_with_music21)" "$root/models/make/chorales.py" "$folder/chorales"
make_model chorale "the chorales of J. S. Bach: soprano, alto, tenor and bass, in all keys" "$folder/chorales/train" \
  --valid "$folder/chorales/valid" --encoding ensemble --steps-per-quarter 2 --augment --hidden 512 --layers 1 \
  --dropout 0.2 --steps 2500
