#!/usr/bin/env python3
"""The four-part chorales of J. S. Bach in music21's corpus, as MIDI files.

    python3 chorales.py FOLDER [--quarters]     with music21 10.5.1

FOLDER/train, and FOLDER/valid with every tenth hymn. Each voice has a track and a channel of its own and the program
"choir aahs": a file has four parts, Soprano, Alto, Tenor and Bass. Settings of one hymn stay together: two are of one
hymn if the first eight intervals of their sopranos are the same.

With --quarters what sounds on each quarter note, and nothing between them: the form in which the literature measures
these chorales (Boulanger-Lewandowski, Bengio and Vincent 2012).
"""
import glob
import hashlib
import os
import re
import sys

import music21
from music21.midi.translate import music21ObjectToMidiFile

VOICES = ["Soprano", "Alto", "Tenor", "Bass"]
# General MIDI 1, "Choir Aahs", as MIDI numbers it.
PROGRAM = 52


def hymn(soprano):
    pitches = [note.pitch.midi for note in soprano.recurse().notes if note.isNote][:9]
    return ",".join(str(b - a) for a, b in zip(pitches, pitches[1:]))


def on_quarters(score):
    """The score with what each part sings on the quarter notes; a note that is held over them stays one note."""
    result = music21.stream.Score()
    for part in score.parts:
        sung = part.flatten().stripTies().notesAndRests
        line = music21.stream.Part()
        last = None
        at = 0.0
        while at < float(part.highestTime):
            found = sung.getElementAtOrBefore(at)
            pitch = found.pitch if found is not None and found.isNote else None
            # What has ended before this quarter does not sound on it.
            if pitch is not None and float(found.offset + found.quarterLength) <= at:
                pitch = None
            if pitch is not None and found is last:
                line[-1].quarterLength += 1
            elif pitch is not None:
                note = music21.note.Note(pitch.midi, quarterLength=1)
                line.insert(at, note)
            last = found if pitch is not None else None
            at += 1
        result.insert(0, line)
    return result


def write(score, path):
    """A MIDI file of four voices: a track each, on channels 1 to 4."""
    for part, name in zip(score.parts, VOICES):
        part.partName = name
        for old in list(part.recurse().getElementsByClass(music21.instrument.Instrument)):
            part.remove(old, recurse=True)
        singer = music21.instrument.Instrument(name)
        singer.midiProgram = PROGRAM
        part.insert(0, singer)
    file = music21ObjectToMidiFile(score)
    # music21 gives all instruments of one program the same channel. The first track is that of tempi.
    for number, track in enumerate(file.tracks):
        for event in track.events:
            if event.channel is not None:
                event.channel = max(1, number)
    file.open(path, "wb")
    file.write()
    file.close()


def main():
    folder = sys.argv[1]
    quarters = "--quarters" in sys.argv[2:]
    # Some chorales are in the corpus in two formats: the later file takes the place of the earlier.
    names = {"train": set(), "valid": set()}
    for part in names:
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
            score = on_quarters(score) if quarters else score
            write(score, os.path.join(folder, part, name))
        except Exception as error:
            print(f"left out {os.path.basename(path)}: {error}", file=sys.stderr)
            continue
        names[part].add(name)
    print(f"{len(names['train'])} chorales to train on, {len(names['valid'])} to validate with, in {folder}")


if __name__ == "__main__":
    main()
