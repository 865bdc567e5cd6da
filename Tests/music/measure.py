#!/usr/bin/env python3
"""Measures whether a model's music is of the kind it learned from.

    python3 Tests/music/measure.py MODEL FOLDER [-n 100] [--tool .build/release/libretto] [-- OPTIONS]

The model writes N pieces of 16 bars, with the seeds 1 to N; OPTIONS go to `libretto sample`. They
are compared with the training files in FOLDER, and a table is printed. Exit code 1 if a piece cannot
be read or is not 16 bars long, if fewer than 95 % of the melody's notes lie in the detected key, if
fewer than 70 % end on the tonic, if fewer than 90 % of the notes that continue a primer lie in its key, if
much less or much more returns in them than in the training files, or if a histogram is further from that of all training files than training files are.

- decode: `libretto midi info` reads the file without a warning, and a strict reader, which is in this
  script and shares nothing with the library, finds every note begun once and ended once.
- key: of the 24 keys the one whose profile (Krumhansl and Kessler 1982) correlates most with how long
  each pitch class sounds. In it are the notes of the major scale, or of the natural and the harmonic
  minor scale. The melody is the highest of the notes that begin together.
- endings: the last note of the melody is the tonic of the detected key.
- primers: two bars that no tune begins with, a scale and a triad, in each of the 24 keys, are continued by
  14 bars, four times each, without --key. The notes that begin after the primer are counted against the
  major scale, or the natural minor scale and the leading note. (Seven of twelve notes are 58 %.)
- histograms: shares of the pitch classes, counted from the tonic, and of durations in sixteenth
  notes. Their distance is the total variation, from 0 to 1. Pitch classes as they are stand in the
  table too, but only count with --keys: a model that learned with transposition, as models do, writes
  in all keys, its files in a few.
- form: what returns, and how pieces are built; see form.py. A piece of 1,000 bars at temperature 0 must not end in
  one bar over and over: its last 64 bars must be of more than four kinds.
- spread: how far single training files are from all others, in the median and for the outermost
  twentieth. Samples pass if all of them together are no further away than the median training file,
  and the median sample no further than the outermost twentieth. Two random halves of the training
  files show how little a distance can be at all.

Python's standard library is enough.
"""

import argparse
import concurrent.futures
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile

import form

MAJOR = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88]
MINOR = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]
MAJOR_SCALE = {0, 2, 4, 5, 7, 9, 11}
MINOR_SCALE = {0, 2, 3, 5, 7, 8, 10, 11}
BARS = 16
LONGEST = 32  # sixteenth notes
DRUMS = 9


class Piece:
    """The notes of a file: (start, duration, pitch) in quarter notes, and what is counted of them."""

    def __init__(self, tool, path):
        info = subprocess.run([tool, "midi", "info", path, "--json"], capture_output=True, text=True)
        notes = subprocess.run([tool, "midi", "notes", path], capture_output=True, text=True)
        self.readable = info.returncode == 0 and notes.returncode == 0
        if not self.readable:
            self.warnings, self.bars, self.notes = [info.stderr + notes.stderr], 0, []
            self.signatures, self.length = [], 0
            return
        facts = json.loads(info.stdout)
        self.warnings = facts["warnings"]
        self.bars = facts["bars"]
        quarter = facts["division"].get("ticks_per_quarter", 480)
        self.length = facts["ticks"] / quarter
        self.signatures = [(s["tick"] / quarter, s["numerator"], s["denominator"]) for s in facts["time_signatures"]]
        self.notes = []
        header, *lines = notes.stdout.splitlines()
        assert header == "start_tick,duration_ticks,channel,pitch,velocity", header
        for line in lines:
            start, duration, channel, pitch, _ = map(int, line.split(","))
            if channel != DRUMS:
                self.notes.append((start / quarter, duration / quarter, pitch))

    def count(self):
        """The histograms, as dictionaries of counts."""
        self.tonic, self.minor = key(self.notes)
        classes, degrees, durations = {}, {}, {}
        for start, duration, pitch in self.notes:
            add(classes, pitch % 12)
            add(degrees, (pitch - self.tonic) % 12)
            steps = round((start + duration) * 4) - round(start * 4)
            add(durations, min(max(1, steps), LONGEST))
        scale = MINOR_SCALE if self.minor else MAJOR_SCALE
        tops = {}
        for start, _, pitch in self.notes:
            tops[start] = max(pitch, tops.get(start, 0))
        self.melody = len(tops)
        self.ends_on_tonic = bool(tops) and (tops[max(tops)] - self.tonic) % 12 == 0
        self.in_key = sum((pitch - self.tonic) % 12 in scale for pitch in tops.values())
        self.form = form.Form(self, key)
        self.histograms = {"pitch classes": classes, "scale degrees": degrees, "durations": durations}


def variable(value):
    """A number as MIDI writes it: seven bits a byte, the highest first."""
    data = [value & 127]
    while value > 127:
        value >>= 7
        data.insert(0, value & 127 | 128)
    return bytes(data)


def write(path, notes, signature):
    """A MIDI file of notes, (start, duration, pitch) in quarter notes."""
    quarter, events = 480, []
    for start, duration, pitch in notes:
        begin = round(start * quarter)
        events += [(begin, 1, pitch, 80), (max(begin + 1, round((start + duration) * quarter)), 0, pitch, 64)]
    numerator, denominator = signature
    track = b"\0\xff\x58\4" + bytes([numerator, denominator.bit_length() - 1, 24, 8])
    now = 0
    for tick, on, pitch, velocity in sorted(events):
        track += variable(tick - now) + bytes([0x90 if on else 0x80, pitch, velocity])
        now = tick
    track += b"\0\xff\x2f\0"
    with open(path, "wb") as file:
        file.write(b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1]) + quarter.to_bytes(2, "big"))
        file.write(b"MTrk" + len(track).to_bytes(4, "big") + track)


# Eighth notes above the tonic, the last a half note.
PRIMERS = {False: [0, 2, 4, 5, 7, 9, 7, 4, 0, 4, 7, 4, 0], True: [0, 2, 3, 5, 7, 8, 7, 3, 0, 3, 7, 3, 0]}


def continued(options, wishes, folder):
    """(notes in the primer's key, all notes) of what follows primers in all keys."""

    def one(task):
        minor, tonic, number = task
        primer, path = (os.path.join(folder, f"{name}-{tonic}-{minor}-{number}.mid") for name in ("primer", "after"))
        notes = [(i / 2, 0.5 if i < 12 else 2, 60 + (tonic + 6) % 12 - 6 + step)
                 for i, step in enumerate(PRIMERS[minor])]
        write(primer, notes, (4, 4))
        subprocess.run(
            [options.tool, "sample", options.model, "--prime", primer, "-o", path, "--bars", str(BARS),
             "--seed", str(number)] + wishes, check=True, stdout=subprocess.DEVNULL)
        scale = MINOR_SCALE if minor else MAJOR_SCALE
        after = [pitch for start, _, pitch in Piece(options.tool, path).notes if start >= 8 - 1e-6]
        return sum((pitch - tonic) % 12 in scale for pitch in after), len(after)

    tasks = [(minor, tonic, number) for minor in PRIMERS for tonic in range(12) for number in range(1, 5)]
    pairs = in_parallel(one, tasks)
    return sum(inside for inside, _ in pairs), sum(notes for _, notes in pairs)


def kinds_at_the_end(options, folder):
    """How many different bars there are among the last 64 of 1,000 that always take the likeliest token."""
    path = os.path.join(folder, "greedy.mid")
    subprocess.run([options.tool, "sample", options.model, "-o", path, "--bars", "1000", "--temperature", "0"],
                   check=True, stdout=subprocess.DEVNULL)
    return len(set(form.bars(Piece(options.tool, path))[-64:]))


def add(counts, key, by=1):
    counts[key] = counts.get(key, 0) + by


def key(notes):
    """(tonic, whether it is minor)"""
    sounds = [0.0] * 12
    for _, duration, pitch in notes:
        sounds[pitch % 12] += max(1 / 16, min(duration, 8))
    mean = sum(sounds) / 12
    best = (float("-inf"), 0, False)
    for minor, profile in ((False, MAJOR), (True, MINOR)):
        center = sum(profile) / 12
        spread = sum((x - center) ** 2 for x in profile) ** 0.5
        for tonic in range(12):
            fit = sum((sounds[(tonic + i) % 12] - mean) * (profile[i] - center) for i in range(12))
            if fit / spread > best[0]:
                best = (fit / spread, tonic, minor)
    return best[1], best[2]


def distance(a, b):
    """The total variation between two histograms of counts."""
    m, n = sum(a.values()) or 1, sum(b.values()) or 1
    return sum(abs(a.get(k, 0) / m - b.get(k, 0) / n) for k in a.keys() | b.keys()) / 2


def together(pieces, name, leave=None):
    total = {}
    for piece in pieces:
        for k, count in piece.histograms[name].items():
            add(total, k, count)
    if leave:
        for k, count in leave.histograms[name].items():
            total[k] -= count
    return total


def flaw(path):
    """What is wrong with a MIDI file, read strictly; None if nothing is."""
    data = open(path, "rb").read()
    if data[:4] != b"MThd" or int.from_bytes(data[4:8], "big") != 6:
        return "no header"
    tracks, place = int.from_bytes(data[10:12], "big"), 14
    for _ in range(tracks):
        if data[place:place + 4] != b"MTrk":
            return f"no track at byte {place}"
        end = place + 8 + int.from_bytes(data[place + 4:place + 8], "big")
        if end > len(data):
            return "a track is cut short"
        place, status, sounding, over = place + 8, 0, set(), False

        def number():
            nonlocal place
            value = 0
            while True:
                value, byte = value << 7 | data[place] & 127, data[place]
                place += 1
                if byte < 128:
                    return value

        while place < end:
            if over:
                return f"events after the end of track, byte {place}"
            number()
            if data[place] >= 0x80:
                status = data[place]
                place += 1
            if status in (0xFF, 0xF0, 0xF7):
                kind = data[place] if status == 0xFF else None
                place += status == 0xFF
                size = number()
                place += size
                over = kind == 0x2F
                status = 0
                continue
            if status < 0x80 or status > 0xEF:
                return f"no status at byte {place}"
            first = data[place]
            second = data[place + 1] if status & 0xE0 != 0xC0 else 0
            if first > 127 or second > 127:
                return f"a data byte above 127 at byte {place}"
            place += 1 if status & 0xE0 == 0xC0 else 2
            note = (status & 15, first)
            if status & 0xF0 == 0x90 and second > 0:
                if note in sounding:
                    return f"a note is begun twice, byte {place}"
                sounding.add(note)
            elif status & 0xE0 == 0x80:
                if note not in sounding:
                    return f"a note that does not sound is ended, byte {place}"
                sounding.remove(note)
        if not over or place != end:
            return "a track does not end as it should"
        if sounding:
            return f"{len(sounding)} notes are never ended"
    return None if place == len(data) else "bytes after the last track"


def in_parallel(function, items):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, items))


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("model")
    parser.add_argument("folder", help="training files")
    parser.add_argument("-n", type=int, default=100, help="samples (default: %(default)s)")
    parser.add_argument("--files", type=int, default=400, help="training files to compare with, at most")
    parser.add_argument("--tool", default=os.path.join(here, "../../.build/release/libretto"))
    parser.add_argument("--keep", metavar="FOLDER", help="keep the samples there")
    parser.add_argument(
        "--keys", action="store_true", help="the keys must be those of the training files too")
    own, rest = sys.argv[1:], []
    if "--" in own:
        own, rest = own[:own.index("--")], own[own.index("--") + 1:]
    return parser.parse_args(own), rest


def main():
    options, wishes = arguments()
    ran = random.Random(1)
    paths = sorted(
        os.path.join(folder, name) for folder, _, names in os.walk(options.folder) for name in names
        if name.lower().endswith((".mid", ".midi")))
    if len(paths) < 4:
        sys.exit(f"{options.folder} has {len(paths)} MIDI files; it takes 4 to compare with")
    if len(paths) > options.files:
        paths = ran.sample(paths, options.files)
    learned = in_parallel(lambda path: Piece(options.tool, path), paths)
    learned = [piece for piece in learned if piece.notes]
    with tempfile.TemporaryDirectory() as folder:
        folder = options.keep or folder
        os.makedirs(folder, exist_ok=True)

        def sample(seed):
            path = os.path.join(folder, f"{seed}.mid")
            command = [options.tool, "sample", options.model, "-o", path, "--seed", str(seed)]
            subprocess.run(
                command + ["--bars", str(BARS)] + wishes, check=True, stdout=subprocess.DEVNULL)
            return Piece(options.tool, path), flaw(path)

        written = in_parallel(sample, range(1, options.n + 1))
        samples = [piece for piece, _ in written]
        for piece in learned + samples:
            piece.count()
        after = continued(options, wishes, folder)
        kinds = kinds_at_the_end(options, folder)
    passed = report(samples, [reason for _, reason in written], learned, ran, options.keys, after, kinds)
    sys.exit(0 if passed else 1)


def report(samples, flaws, learned, ran, keys, after, kinds):
    passed = True

    def row(name, value, against, holds):
        nonlocal passed
        passed = passed and holds is not False
        verdict = "" if holds is None else "ok" if holds else "NOT MET"
        print(f"{name:34}{value:>10}  {against:34}{verdict}")

    n = len(samples)
    for seed, (piece, reason) in enumerate(zip(samples, flaws), 1):
        if reason or piece.warnings or not piece.readable:
            print(f"seed {seed}: {reason or piece.warnings}")
    print(f"{n} samples of {BARS} bars, {len(learned)} training files\n")
    whole = sum(p.readable and not p.warnings and not f for p, f in zip(samples, flaws))
    row("decode without repair", f"{whole}/{n}", "must be all", whole == n)
    full = sum(piece.bars == BARS for piece in samples)
    row("bars filled exactly", f"{full}/{n}", "must be all", full == n)
    sounding = sum(bool(piece.notes) for piece in samples)
    row("with notes", f"{sounding}/{n}", "must be all", sounding == n)

    def share(pieces):
        return sum(p.in_key for p in pieces) / max(1, sum(p.melody for p in pieces))

    row("melody notes in the key", f"{share(samples):.1%}",
        f"at least 95 % (training {share(learned):.1%})", share(samples) >= 0.95)
    end = lambda pieces: statistics.mean(piece.ends_on_tonic for piece in pieces)
    row("ending on the tonic", f"{end(samples):.0%}", f"at least 70 % (training {end(learned):.0%})",
        end(samples) >= 0.7)
    inside, notes = after
    row("notes after a primer in its key", f"{inside / max(1, notes):.1%}",
        f"at least 90 % ({notes} notes, all keys)", inside >= 0.9 * notes)
    mean = lambda pieces: statistics.mean(len(p.notes) for p in pieces)
    row("notes of a sample", f"{mean(samples):.0f}", f"(training files, of any length {mean(learned):.0f})",
        None)
    print("\nform")
    for line in form.rows([p.form for p in samples], [p.form for p in learned]):
        row(*line)
    row("kinds of bars, 64 after 936, greedy", f"{kinds}", "more than 4", kinds > 4)
    print("\nhistograms: distance from all training files")
    for name in ("pitch classes", "scale degrees", "durations"):
        everything = together(learned, name)
        spread = sorted(
            distance(p.histograms[name], together(learned, name, leave=p)) for p in learned)
        median, outermost = statistics.median(spread), spread[int(0.95 * len(spread))]
        halves = []
        for _ in range(20):
            shuffled = ran.sample(learned, len(learned))
            middle = len(shuffled) // 2
            halves.append(
                distance(together(shuffled[:middle], name), together(shuffled[middle:], name)))
        pooled = distance(together(samples, name), everything)
        single = statistics.median(distance(p.histograms[name], everything) for p in samples)
        counts = keys or name != "pitch classes"
        row(f"{name}, all samples", f"{pooled:.3f}", f"median training file {median:.3f}",
            pooled <= median if counts else None)
        row(f"{name}, median sample", f"{single:.3f}", f"95 % of training files {outermost:.3f}",
            single <= outermost if counts else None)
        row(f"{name}, random halves", f"{statistics.mean(halves):.3f}", "(of the training files)", None)
    print("\nall thresholds are met" if passed else "\nsome thresholds are NOT met")
    return passed


if __name__ == "__main__":
    main()
