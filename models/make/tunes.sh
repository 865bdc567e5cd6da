#!/bin/sh
# tunes.sh FOLDER: makes FOLDER/tunes.safetensors, in four minutes on two cores.
set -eu
folder=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
libretto=${LIBRETTO:-$root/.build/release/libretto}
mkdir -p "$folder"
"$libretto" train "$root/examples/tunes" -o "$folder/tunes32.safetensors" --encoding polyphony --hidden 256 --layers 1 \
  --dropout 0.3 --steps 10000 --valid 0 --seed 1 --no-memory --force
"$libretto" quantize "$folder/tunes32.safetensors" -o "$folder/tunes.safetensors" --force \
  --about "forty folk tunes with chords, in all keys"
