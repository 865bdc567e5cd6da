#!/bin/sh
# tunes.sh FOLDER: makes FOLDER/tunes.safetensors of examples/tunes.
. "$(dirname "$0")/common.sh"
folder=$1
mkdir -p "$folder"
make_model tunes "forty folk tunes with chords, in all keys" "$root/examples/tunes" --encoding polyphony --hidden 256 \
  --layers 1 --dropout 0.3 --steps 10000 --valid 0 --no-memory
