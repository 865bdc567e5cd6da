#!/usr/bin/env python3
"""Compares what Libretto reads in MIDI files with what mido and pretty_midi read, over folders of files.

    python3 -m venv venv && venv/bin/pip install mido pretty_midi setuptools
    venv/bin/python Tests/midi/compare.py FOLDER...

    --tool COMMAND   `libretto` of the build: `COMMAND midi notes FILE` prints the notes as lines of
                     start_tick,duration_ticks,channel,pitch,velocity, `COMMAND midi info --json FILE` the tempos

Notes: mido's messages are paired by reference.py, which was written independently of Libretto but after the
same rules: every note must agree, those too whose note-offs are missing.

mido reads as many tracks as the header counts, Libretto those that are there: files in which the header counts
too few are left out.

Seconds: the beginning and the end of every note must be within a millisecond of pretty_midi's. It honours
tempos in the first track only; files with others are compared with mido's ticks and tempos alone.

pretty_midi pairs notes by itself: a note-off ends all notes of its key that began before, and notes that
nothing ends are left out. Where its notes differ, that is counted, and explained by overlapping, missing or
empty notes of the file. Exits with 1 if a file disagrees for no such reason.
"""
import argparse
import bisect
import collections
import json
import pathlib
import shlex
import subprocess
import sys
import warnings

import mido
import reference

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WITHIN = 0.001
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folders", nargs="+", type=pathlib.Path)
parser.add_argument("--tool", default=f"{ROOT}/.build/release/libretto")
options = parser.parse_args()
counts = collections.Counter()


def run(*arguments):
    done = subprocess.run([*shlex.split(options.tool), "midi", *arguments], capture_output=True)
    return done.stdout.decode() if done.returncode == 0 else None


def ours(path):
    """The notes, a function from ticks to seconds, and the tracks; None if the file is refused."""
    lines, info = run("notes", str(path)), run("info", "--json", str(path))
    if lines is None or info is None:
        return None
    notes = [tuple(map(int, line.split(",")[:5])) for line in lines.splitlines() if line[:1].isdigit()]
    info = json.loads(info)
    tempos = info["tempos"]
    ticks = [tempo["tick"] for tempo in tempos]
    division = info["division"]

    def seconds(tick):
        if "frames_per_second" in division:
            frames = division["frames_per_second"]
            return tick / division["ticks_per_frame"] / (30000 / 1001 if frames == 29 else frames)
        tempo = tempos[bisect.bisect_right(ticks, tick) - 1]
        per_tick = tempo["microseconds_per_quarter"] / 1e6 / division["ticks_per_quarter"]
        return tempo["seconds"] + (tick - tempo["tick"]) * per_tick

    return notes, seconds, len(info["tracks"])


def overlapping(notes):
    """Whether a key is struck while it sounds in one track and channel, or a note lasts no time."""
    sounding = {}
    for start, duration, channel, pitch, _, track in notes:
        key = (channel, pitch, track)
        if duration == 0 or start < sounding.get(key, 0):
            return True
        sounding[key] = start + duration
    return False


def check_seconds(path, file, found, seconds, pretty):
    """Whether all beginnings and ends of notes are where mido and pretty_midi have them."""
    tempos = reference.tempos(file)
    ticks = [tempo[0] for tempo in tempos]
    elsewhere = any(m.type == "set_tempo" for track in file.tracks[1:] for m in track)
    worst = 0.0
    for tick in {tick for start, duration, *_ in found for tick in (start, start + duration)}:
        start, second, tempo = tempos[bisect.bisect_right(ticks, tick) - 1]
        wanted = second + mido.tick2second(tick - start, file.ticks_per_beat, tempo)
        worst = max(worst, abs(seconds(tick) - wanted))
        if pretty and not elsewhere:
            worst = max(worst, abs(seconds(tick) - pretty.tick_to_time(tick)))
    counts["seconds agree" if worst <= WITHIN else "seconds differ"] += 1
    if pretty and not elsewhere:
        counts["seconds agree with pretty_midi too"] += worst <= WITHIN
    if worst > WITHIN:
        print(f"{path}: seconds differ by up to {worst:.6f}")


def check_pretty_notes(path, file, found, theirs, mended, pretty):
    tick = pretty.time_to_tick
    notes = sorted((tick(n.start), tick(n.end) - tick(n.start), n.pitch, n.velocity)
                   for instrument in pretty.instruments for n in instrument.notes)
    if notes == sorted((start, duration, pitch, velocity) for start, duration, _, pitch, velocity in found):
        counts["pretty_midi agrees"] += 1
    elif mended or overlapping(theirs) or file.type == 2:
        counts["pretty_midi differs, explained"] += 1
    else:
        counts["pretty_midi differs"] += 1
        print(f"{path}: pretty_midi has {len(notes)} notes, ours {len(found)}")


def compare(path):
    import pretty_midi

    counts["files"] += 1
    read = ours(path)
    try:
        file = mido.MidiFile(path)
        theirs, mended = reference.notes(file)
    except Exception as error:  # mido raises what it comes upon
        counts["refused by both" if read is None else "refused by mido"] += 1
        print(f"{path}: mido: {str(error)[:60] or repr(error)}; ours: {'refused' if read is None else len(read[0])}")
        return
    if read is None:
        counts["refused by us"] += 1
        print(f"{path}: refused by us, not by mido")
        return
    found, seconds, tracks = read
    if tracks > len(file.tracks):
        counts["more tracks than mido reads"] += 1
        return
    counts["notes"] += len(theirs)
    counts["notes without a note-off"] += mended
    same = found == [tuple(note[:5]) for note in theirs]
    counts["agree" if same else "differ"] += 1
    if not same:
        missing, more = (collections.Counter(a) - collections.Counter(b) for a, b in
                         ((found, [tuple(n[:5]) for n in theirs]), ([tuple(n[:5]) for n in theirs], found)))
        print(f"{path}: {len(found)} notes, mido {len(theirs)}; ours alone {list(missing)[:3]}, mido alone {list(more)[:3]}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pretty = pretty_midi.PrettyMIDI(str(path))
    except Exception as error:
        pretty = None
        counts["pretty_midi refuses"] += 1
        print(f"{path}: pretty_midi: {str(error)[:60] or repr(error)}")
    if file.ticks_per_beat > 0 and file.type != 2:
        check_seconds(path, file, found, seconds, pretty)
    if pretty and same:
        check_pretty_notes(path, file, found, theirs, mended, pretty)


for folder in options.folders:
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".mid", ".midi", ".kar", ".rmi", ".smf")):
        compare(path)
for name in ("files", "notes", "notes without a note-off", "agree", "differ", "seconds agree", "seconds differ",
             "seconds agree with pretty_midi too", "pretty_midi agrees", "pretty_midi differs, explained",
             "pretty_midi differs", "pretty_midi refuses", "more tracks than mido reads", "refused by both", "refused by mido", "refused by us"):
    print(f"{name:36}{counts[name]:8}")
sys.exit(1 if counts["differ"] or counts["refused by us"] or counts["seconds differ"] or counts["pretty_midi differs"] else 0)
