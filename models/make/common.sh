# What the scripts beside this share: where things are, and how a model is made of a corpus.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
libretto=${LIBRETTO:-$root/.build/release/libretto}

# make_model NAME ABOUT TRAIN_ARGUMENTS...: $folder/NAME.safetensors, int8.
make_model() {
  name=$1
  about=$2
  shift 2
  "$libretto" train "$@" -o "$folder/${name}32.safetensors" --threads 2 --seed 1 --force
  "$libretto" quantize "$folder/${name}32.safetensors" -o "$folder/$name.safetensors" --about "$about" --force
}

# python_with_music21: a Python that has it, made in $folder.
python_with_music21() {
  python3 -m venv "$folder/env" >&2
  "$folder/env/bin/pip" install --quiet music21==10.5.1 >&2
  echo "$folder/env/bin/python"
}
