#!/usr/bin/env python3
"""Measures what a session that answers a player should know of who played what.

    python3 Tests/music/roles.py FOLDER [--tool .build/release/libretto] [--minutes 0.4] [--seeds 3]

The tunes of FOLDER stand for duets: their phrases of two bars are call and answer in turns. A model
learns all but every fifth tune, which is held out, and is asked how well it expects the answers in these:
nats per step of the grid, over the tokens of the answers alone, after different things.

- one stream: calls and answers as they came, with nothing to tell them apart.
- calls alone: the calls so far without its own answers, as a session that forgets what it played.
- last call: the last call and nothing before it.
- marked: one stream in which the calls lie two octaves lower, so that the register tells who played.
  Its model has learned from tunes marked like this.

Python's standard library is enough.
"""

import argparse
import csv
import json
import pathlib
import statistics
import struct
import subprocess
import tempfile

PPQ = 480
PHRASE = 2  # bars
DOWN = 24  # semitones


def read(tool, path):
    """The ticks of a bar and the melody notes (start, end, pitch) of a tune; None if its metre changes."""
    facts = json.loads(subprocess.run([tool, "midi", "info", path, "--json"], check=True, capture_output=True).stdout)
    signatures = facts["time_signatures"]
    if len(signatures) != 1:
        return None
    beats, unit = signatures[0]["numerator"], signatures[0]["denominator"]
    rows = subprocess.run([tool, "midi", "notes", path], check=True, capture_output=True, text=True).stdout
    notes = {}
    for start, duration, _, pitch, _ in [map(int, row) for row in list(csv.reader(rows.splitlines()))[1:]]:
        if start not in notes or pitch > notes[start][2]:
            notes[start] = (start, start + duration, pitch)
    line = sorted(notes.values())
    line = [(s, min([e] + [n[0] for n in line if n[0] > s][:1]), p) for s, e, p in line]
    return (beats, unit), line


def write(path, metre, notes):
    """A Standard MIDI File of one track."""
    events = [(0, 0, b"\xff\x58\x04" + bytes([metre[0], metre[1].bit_length() - 1, 24, 8]))]
    for start, end, pitch in notes:
        events += [(start, 2, bytes([0x90, pitch, 90])), (end, 1, bytes([0x80, pitch, 64]))]
    track, now = b"", 0
    for tick, _, data in sorted(events):
        delta, now = tick - now, tick
        track += bytes([0x80 | delta >> 14 & 127, 0x80 | delta >> 7 & 127, delta & 127]) + data
    track += b"\x00\xff\x2f\x00"
    path.write_bytes(struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, PPQ, b"MTrk", len(track)) + track)


def ticks_of_phrase(metre):
    return PHRASE * metre[0] * 4 * PPQ // metre[1]


def marked(metre, notes):
    return [(s, e, p - DOWN * (s // ticks_of_phrase(metre) % 2 == 0)) for s, e, p in notes]


def phrases(metre, notes):
    """The notes of each phrase, counted from its beginning, cut at its end."""
    length, parts = ticks_of_phrase(metre), {}
    for s, e, p in notes:
        parts.setdefault(s // length, []).append((s % length, min(e - s // length * length, length), p))
    return [parts.get(i, []) for i in range(max(parts) + 1)]


def joined(metre, parts):
    length = ticks_of_phrase(metre)
    return [(s + i * length, e + i * length, p) for i, part in enumerate(parts) for s, e, p in part]


def score(tool, model, folder, metre, notes, wanted):
    """Nats and steps of the phrases of which `wanted` is true, in a piece of these notes."""
    file = folder / "piece.mid"
    write(file, metre, notes)
    tokens = json.loads(subprocess.run([tool, "score", model, file, "--json"], check=True, capture_output=True).stdout)["tokens"]
    steps_of_phrase = ticks_of_phrase(metre) * 4 // PPQ
    nats, steps, now = 0.0, 0, 0
    for token in tokens:
        if wanted(now // steps_of_phrase) and not token["text"].startswith(("METRE", "END")):
            nats -= token["log_probability"]
            steps += token["text"].startswith("STEP")
        now += token["text"].startswith("STEP")
    return nats, steps


def measure(tool, folder, plain, with_marks, tunes):
    """Nats per step of answers for each way."""
    sums = {}

    def add(way, result):
        nats, steps = sums.get(way, (0.0, 0))
        sums[way] = nats + result[0], steps + result[1]

    for metre, notes in tunes:
        parts = phrases(metre, notes)
        answers = range(3, len(parts), 2)  # the first has no answer before it to forget
        add("one stream", score(tool, plain, folder, metre, joined(metre, parts), lambda i: i in answers))
        add("marked", score(tool, with_marks, folder, metre, marked(metre, joined(metre, parts)), lambda i: i in answers))
        for answer in answers:
            calls = parts[0:answer:2]
            add("calls alone", score(tool, plain, folder, metre, joined(metre, [*calls, parts[answer]]),
                                     lambda i: i == len(calls)))
            add("last call", score(tool, plain, folder, metre, joined(metre, parts[answer - 1:answer + 1]), lambda i: i == 1))
    return {way: nats / steps for way, (nats, steps) in sums.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tool", default=".build/release/libretto")
    parser.add_argument("--minutes", default="0.4")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    tool = str(pathlib.Path(options.tool).resolve())
    tunes = [read(tool, path) for path in sorted(options.folder.glob("*.mid"))]
    tunes = [tune for tune in tunes if tune]
    held, learned = tunes[::5], [tune for i, tune in enumerate(tunes) if i % 5]
    print(f"{len(learned)} tunes learned, {len(held)} held out; phrases of {PHRASE} bars")
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for kind, change in (("plain", lambda m, n: n), ("marked", marked)):
            (folder / kind).mkdir()
            for i, (metre, notes) in enumerate(learned):
                write(folder / kind / f"{i}.mid", metre, change(metre, notes))
        for seed in range(1, options.seeds + 1):
            for kind in ("plain", "marked"):
                subprocess.run([tool, "train", folder / kind, "-o", folder / f"{kind}.safetensors", "--encoding", "melody",
                                "--minutes", options.minutes, "--seed", str(seed)], check=True, capture_output=True)
            result = measure(tool, folder, folder / "plain.safetensors", folder / "marked.safetensors", held)
            print(f"seed {seed}: " + ", ".join(f"{way} {nats:.4f}" for way, nats in result.items()), flush=True)
            for way, nats in result.items():
                found.setdefault(way, []).append(nats)
    print("nats per step of the answers")
    for way, values in found.items():
        print(f"  {way:12} {statistics.mean(values):.4f}")


if __name__ == "__main__":
    main()
