#!/bin/sh
# samples.sh: writes models/samples, a piece or text of each model, to look at and hear.
. "$(dirname "$0")/common.sh"
models=$root/models
samples=$models/samples
mkdir -p "$samples"

# music NAME SEED OPTIONS...: a MIDI file and its picture.
music() {
  name=$1
  seed=$2
  shift 2
  "$libretto" sample "$models/$name.safetensors" -o "$samples/$name.mid" --seed "$seed" "$@"
  "$libretto" roll "$samples/$name.mid" -o "$samples/$name.svg"
}
music folk 3 --bars 16 --key D --time-signature 6/8 --temperature 0.7
music tunes 1 --bars 16
music chorale 3 --bars 16 --parts 52,52,52,52 --temperature 0.6
music pop 1 --seconds 40
music drums 1 --bars 8
"$libretto" sample "$models/plays.safetensors" --seed 1 --length 1000 >"$samples/plays.txt"
