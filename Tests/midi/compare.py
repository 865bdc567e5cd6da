#!/usr/bin/env python3
"""Compares the notes Libretto reads with those mido and pretty_midi read, over folders of MIDI files.

    python3 -m venv venv && venv/bin/pip install mido pretty_midi setuptools
    venv/bin/python Tests/midi/compare.py FOLDER...

    --tool COMMAND   what prints the notes of the file whose name comes after it as lines of
                     start_tick,duration_ticks,channel,pitch,velocity (`libretto midi notes` of the build)
    --no-pretty-midi

mido's messages are paired by reference.py, as Libretto says it pairs them, and every note must agree.
pretty_midi pairs by itself, in seconds: there a note-off ends all notes of its key that began before,
not the first of them, and notes that nothing ends are dropped; what differs is counted, with the files
where it is explained by that. Exits with 1 if a file disagrees with mido, or with pretty_midi for no
such reason.
"""
import argparse
import pathlib
import shlex
import subprocess
import sys
import warnings

import mido
import reference

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folders", nargs="+", type=pathlib.Path)
parser.add_argument("--tool", default=f"{ROOT}/.build/release/libretto midi notes")
parser.add_argument("--no-pretty-midi", action="store_true")
options = parser.parse_args()


def ours(path):
    done = subprocess.run([*shlex.split(options.tool), path], capture_output=True, text=True)
    if done.returncode != 0:
        return None
    lines = [line for line in done.stdout.splitlines() if line[:1].isdigit()]
    return [tuple(map(int, line.split(",")[:5])) for line in lines]


def overlapping(notes):
    """Whether a key is struck while it sounds, in one track and channel."""
    sounding = {}
    for start, duration, channel, pitch, _, track in notes:
        key = (channel, pitch, track)
        if start < sounding.get(key, 0):
            return True
        sounding[key] = start + duration
    return False


def pretty(path):
    """Notes as (start, duration, pitch, velocity) in ticks, rounded from seconds."""
    import pretty_midi

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        midi = pretty_midi.PrettyMIDI(str(path))
    tick = midi.time_to_tick
    return sorted(
        (tick(note.start), tick(note.end) - tick(note.start), note.pitch, note.velocity)
        for instrument in midi.instruments for note in instrument.notes)


counts = dict.fromkeys(["files", "notes", "agree", "differ", "refused by both", "refused by mido", "refused by us",
                        "pretty_midi agrees", "pretty_midi differs, explained", "pretty_midi differs",
                        "pretty_midi refuses"], 0)
for folder in options.folders:
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".mid", ".midi")):
        counts["files"] += 1
        found = ours(path)
        try:
            file = mido.MidiFile(path)
            theirs = reference.notes(file)
        except Exception as error:  # mido raises what it comes upon
            counts["refused by both" if found is None else "refused by mido"] += 1
            print(f"{path.name}: mido: {error!r}; ours: {'refused' if found is None else len(found)}")
            continue
        if found is None:
            counts["refused by us"] += 1
            print(f"{path.name}: refused by us, not by mido")
            continue
        counts["notes"] += len(theirs)
        same = found == [tuple(note[:5]) for note in theirs]
        counts["agree" if same else "differ"] += 1
        if not same:
            print(f"{path.name}: {len(found)} notes, mido {len(theirs)}")
        if options.no_pretty_midi:
            continue
        try:
            notes = pretty(path)
        except Exception as error:
            counts["pretty_midi refuses"] += 1
            print(f"{path.name}: pretty_midi: {error!r}")
            continue
        if notes == sorted((start, duration, pitch, velocity) for start, duration, _, pitch, velocity in found):
            counts["pretty_midi agrees"] += 1
        elif overlapping(theirs) or theirs != reference.notes(file, ended_only=True):
            counts["pretty_midi differs, explained"] += 1
        else:
            counts["pretty_midi differs"] += 1
            print(f"{path.name}: pretty_midi has {len(notes)} notes, ours {len(found)}")
for name, count in counts.items():
    print(f"{name:36}{count:8}")
sys.exit(1 if counts["differ"] or counts["refused by us"] or counts["pretty_midi differs"] else 0)
