#!/bin/sh
# folk.sh FOLDER: 3,685 folk tunes as MIDI files in FOLDER/folk, from the books of O'Neill, Aird and Ryan in music21's
# corpus: music of the 18th and 19th century, transcribed by those whom FOLDER/folk/credits.txt names. Needs Python 3
# and the network.
set -eu
folder=$1
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet music21==10.5.1
corpus=$("$folder/env/bin/python" -c 'import music21, os; print(os.path.dirname(music21.__file__))')/corpus
python3 "$here/abc_to_midi.py" "$corpus"/oneills1850/*.abc "$corpus"/airdsAirs/*.abc "$corpus"/ryansMammoth/*.abc \
  -o "$folder/folk"
