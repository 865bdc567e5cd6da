#!/usr/bin/env python3
"""Measures whether the live engine is a partner: how its answers fit what was played.

    python3 Tests/live/partner.py [--model tunes] [--mode answer] [--tool .build/release/libretto] [-n 40]

The player is the melody of a tune of examples/tunes: its first eight bars, in each tune another key and tempo (all
twelve, 70 to 160 quarter notes a minute), each onset moved by a normal error of 20 ms at two deviations, as loud as
drawn from 40 to 110. Nobody tells the engine key or tempo. Of the answer:

- key: notes that lie in the key of the tune (natural and harmonic minor; Krumhansl and Kessler's profiles over the tune).
- beat: how far its first note is from a beat of the player, in ms; within 20 ms counts.
  A beat of 6/8 and the like is a dotted quarter.
- loudness: the mean velocity less the player's.
- likeness: how much of the answer's pairs of neighbouring (interval, ratio of durations) the call has too, less how
  much of them the call of another tune has; over all tunes its mean and the probability of a mean so high by chance
  (a test of signs over all tunes).

Python's standard library is enough.
"""
import argparse
import math
import pathlib
import random
import statistics
import sys

import engine

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/music"))
import measure  # noqa: E402

BLOCK_MS = 10


def melody(piece):
    """The highest notes: (start, duration, pitch), in quarter notes."""
    tops = {}
    for start, duration, pitch in piece.notes:
        if start not in tops or pitch > tops[start][1]:
            tops[start] = (duration, pitch)
    starts = sorted(tops)
    return [(s, min(tops[s][0], (n or s + tops[s][0]) - s), tops[s][1]) for s, n in zip(starts, starts[1:] + [None])]


def features(notes):
    """Pairs of neighbours of a melody: the interval, and how much longer the second is."""
    tops = {}
    for start, end, pitch, *_ in notes:
        tops[start] = max(pitch, tops.get(start, 0))
    at = sorted(tops)
    result = []
    for a, b, d in zip(at, at[1:], at[2:]):
        result.append((tops[b] - tops[a], max(-3, min(3, round(2 * math.log2((d - b) / (b - a)))))))
    return result


def play(model, mode, tune, number):
    """(answer, scale, beat error in ms, loudness difference, call) of a tune."""
    draw = random.Random(number)
    piece = measure.Piece(TOOL, tune)
    piece.count()
    shift = number % 12 - 6
    bpm = draw.uniform(70, 160)
    velocity = draw.randint(40, 110)
    line = melody(piece)
    line = [note for note in line if note[0] < line[0][0] + 32]
    e = engine.Engine(model, seed=number)
    e.set("mode", mode)
    ms = bpm / 60e3  # quarter notes
    ticks = engine.PPQ * 120 / bpm  # of the host's 120, in a quarter note of the player's
    played = []
    for start, duration, pitch in line:
        error = draw.gauss(0, 10) * ms
        at = 2000 + (start + error) * ticks
        loud = max(1, min(127, velocity + draw.randint(-8, 8)))
        played.append((at, at + 0.85 * duration * ticks, pitch + shift, loud))
    events = sorted([(at, 1, pitch, loud) for at, _, pitch, loud in played] +
                    [(end, 0, pitch, 0) for _, end, pitch, _ in played])
    block = BLOCK_MS * 120 * engine.PPQ / 60e3
    end, now, i = events[-1][0], 0.0, 0
    answer_end = None
    while now < end + 40 * ticks and (answer_end is None or now < answer_end):
        while i < len(events) and events[i][0] < now + block:
            tick, on, pitch, loud = events[i]
            e.hear(tick, 0x90 if on else 0x80, pitch, loud)
            i += 1
        e.advance(now, now + block)
        now += block
        if i == len(events) and answer_end is None and e.state.is_playing:
            answer_end = now + 64 * ticks
        if answer_end and not e.state.is_playing:
            break
    notes = [n for n in e.notes() if n[0] >= end]
    scale = measure.MINOR_SCALE if piece.minor else measure.MAJOR_SCALE
    tonic = (piece.tonic + shift) % 12
    inside = [(n[2] - tonic) % 12 in scale for n in notes]
    error = None
    if notes:
        numerator, denominator = piece.signatures[0][1:] if piece.signatures else (4, 4)
        beat = ticks * (1.5 if denominator == 8 and numerator % 3 == 0 else 1)
        beats = (notes[0][0] - 2000) / beat
        error = (beats - round(beats)) * beat * 60e3 / 120 / engine.PPQ
    loudness = statistics.mean(n[3] for n in notes) - statistics.mean(n[3] for n in played) if notes else None
    estimated = e.state.tempo / bpm
    e.close()
    return notes, inside, error, loudness, played, estimated


def likeness(answer, call):
    theirs = set(features(call))
    mine = features(answer)
    return sum(f in theirs for f in mine) / len(mine) if mine else 0


def main():
    global TOOL
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tunes")
    parser.add_argument("--mode", default="answer", choices=["answer", "trade", "accompany"])
    parser.add_argument("--tool", default=str(ROOT / ".build/release/libretto"))
    parser.add_argument("-n", type=int, default=40)
    options = parser.parse_args()
    TOOL = options.tool
    model = engine.Model(options.model)
    mode = ["play", "answer", "trade", "accompany"].index(options.mode)
    tunes = sorted((ROOT / "examples/tunes").glob("*.mid"))[:options.n]
    found = [play(model, mode, str(tune), number) for number, tune in enumerate(tunes)]
    inside = [x for _, i, *_ in found for x in i]
    errors = [abs(f[2]) for f in found if f[2] is not None]
    louder = [f[3] for f in found if f[3] is not None]
    differences = []
    for k, (answer, _, _, _, call, _) in enumerate(found):
        other = found[(k + 7) % len(found)][4]
        differences.append(likeness(answer, call) - likeness(answer, other))
    wins, all_ = sum(d > 0 for d in differences), sum(d != 0 for d in differences)
    chance = sum(math.comb(all_, w) for w in range(wins, all_ + 1)) / 2**all_
    right = sum(abs(math.log2(f[5])) < 0.02 for f in found)
    octave = sum(abs(math.log2(f[5]) - round(math.log2(f[5]))) < 0.02 for f in found)
    print(f"{len(errors)} of {len(found)} answered, {len(inside)} notes")
    print(f"in the player's key: {100 * sum(inside) / len(inside):.1f} %")
    print(f"first note within 20 ms of a beat: {sum(e <= 20 for e in errors)} of {len(errors)}, median {statistics.median(errors):.1f} ms")
    print(f"tempo found: {right}, or its half or double: {octave} of {len(found)}")
    print(f"loudness: {statistics.mean(louder):+.1f}, at most {max(map(abs, louder)):.1f} apart")
    print(f"likeness to its call above that to another: {statistics.mean(differences):+.3f}, {wins} of {all_}, p = {chance:.4f}")


if __name__ == "__main__":
    main()
