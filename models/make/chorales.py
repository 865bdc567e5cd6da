#!/usr/bin/env python3
"""The four-part chorales of J. S. Bach in music21's corpus, as MIDI files.

    python3 chorales.py FOLDER     with music21 10.5.1; FOLDER/train, and FOLDER/valid with every tenth hymn

Settings of one hymn stay together: two are of one hymn if the first eight intervals of their sopranos are the same.
"""
import glob
import hashlib
import os
import re
import sys

import music21


def hymn(soprano):
    pitches = [note.pitch.midi for note in soprano.recurse().notes if note.isNote][:9]
    return ",".join(str(b - a) for a, b in zip(pitches, pitches[1:]))


def main():
    folder = sys.argv[1]
    counts = {"train": 0, "valid": 0}
    for part in counts:
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    corpus = os.path.join(os.path.dirname(music21.__file__), "corpus", "bach")
    for path in sorted(glob.glob(os.path.join(corpus, "bwv*.*"))):
        # Some files hold what music21 cannot read, or repeats it cannot follow.
        try:
            score = music21.converter.parse(path)
            if len(score.parts) != 4:
                continue
            key = hashlib.md5(hymn(score.parts[0]).encode()).hexdigest()
            part = "valid" if int(key, 16) % 10 == 0 else "train"
            name = re.sub(r"\W", "_", os.path.splitext(os.path.basename(path))[0]) + ".mid"
            score.write("midi", os.path.join(folder, part, name))
        except Exception as error:
            print(f"left out {os.path.basename(path)}: {error}", file=sys.stderr)
            continue
        counts[part] += 1
    print(f"{counts['train']} chorales to train on, {counts['valid']} to validate with, in {folder}")


if __name__ == "__main__":
    main()
