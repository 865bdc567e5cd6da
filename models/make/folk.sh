#!/bin/sh
# folk.sh FOLDER: makes FOLDER/folk.safetensors of the folk tunes that benchmarks/corpora/folk.sh makes. Needs Python 3
# and the network.
. "$(dirname "$0")/common.sh"
folder=$1
mkdir -p "$folder"
[ -d "$folder/folk" ] || "$root/benchmarks/corpora/folk.sh" "$folder"
make_model folk "3,685 jigs, reels, airs and other folk tunes of the 18th and 19th century: one voice" "$folder/folk" \
  --encoding melody --hidden 256 --layers 2 --dropout 0.2 --steps 3500
