#!/bin/sh
# pop.sh FOLDER POP909: makes FOLDER/pop.safetensors of the folder POP909, with MIDI files of the data set of that name
# (github.com/music-x-lab/POP909-Dataset).
. "$(dirname "$0")/common.sh"
folder=$1
mkdir -p "$folder"
make_model pop "pop songs for the piano as they were played, with time and velocity" "$2" --encoding performance \
  --hidden 256 --layers 2 --dropout 0.2 --steps 2000
