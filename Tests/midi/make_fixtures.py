#!/usr/bin/env python3
"""Writes the MIDI files of the tests, and what mido sees in them, into fixtures/.

    python3 -m venv venv && venv/bin/pip install mido
    venv/bin/python Tests/midi/make_fixtures.py

One file is made by mido, the others byte by byte, so that they hold what mido would not write.
notes.json has for each what `reference.py` makes of it; for a file that mido cannot open itself, of
the same music in a plain file.
"""
import io
import json
import pathlib
import random

import mido
import reference

HERE = pathlib.Path(__file__).parent / "fixtures"


def number(value):
    """A variable-length quantity."""
    result = [value & 0x7F]
    while value > 0x7F:
        value >>= 7
        result.insert(0, value & 0x7F | 0x80)
    return bytes(result)


def chunk(name, body):
    return name + len(body).to_bytes(4, "big") + body


def header(kind, tracks, division, extra=b""):
    fields = kind.to_bytes(2, "big") + tracks.to_bytes(2, "big") + division.to_bytes(2, "big")
    return chunk(b"MThd", fields + extra)


def track(*events, end=0):
    """Events are (delta, bytes...)."""
    body = b"".join(number(delta) + bytes(data) for delta, *data in events)
    return chunk(b"MTrk", body + number(end) + b"\xff\x2f\x00")


def meta(delta, kind, data):
    return (delta, 0xFF, kind, *number(len(data)), *data)


def plain():
    """Two tracks with chords, rests, a tempo that changes, signatures, and names; made by mido."""
    choice = random.Random(1)
    file = mido.MidiFile(type=1, ticks_per_beat=480)
    first = mido.MidiTrack()
    first.append(mido.MetaMessage("track_name", name="Melody", time=0))
    first.append(mido.MetaMessage("time_signature", numerator=6, denominator=8, time=0))
    first.append(mido.MetaMessage("key_signature", key="F#m", time=0))
    first.append(mido.MetaMessage("set_tempo", tempo=600_000, time=0))
    for i in range(60):
        pitch = choice.randrange(55, 85)
        first.append(mido.Message("note_on", note=pitch, velocity=choice.randrange(1, 128), time=choice.choice([0, 0, 60, 240])))
        first.append(mido.Message("note_off", note=pitch, velocity=choice.choice([0, 64]), time=choice.choice([1, 120, 480])))
        if i % 20 == 10:
            first.append(mido.MetaMessage("set_tempo", tempo=choice.randrange(300_000, 900_000), time=choice.choice([0, 33])))
        if i == 30:
            first.append(mido.MetaMessage("time_signature", numerator=4, denominator=4, time=0))
            first.append(mido.MetaMessage("key_signature", key="Eb", time=0))
    second = mido.MidiTrack()
    second.append(mido.MetaMessage("track_name", name="Chords", time=0))
    second.append(mido.Message("program_change", channel=3, program=24, time=0))
    for i in range(30):
        chord = choice.sample(range(40, 60), 4)
        for j, pitch in enumerate(chord):
            second.append(mido.Message("note_on", channel=3, note=pitch, velocity=80, time=0))
        for j, pitch in enumerate(choice.sample(chord, 4)):
            second.append(mido.Message("note_on", channel=3, note=pitch, velocity=0, time=480 if j == 0 else 0))
        second.append(mido.Message("pitchwheel", channel=3, pitch=choice.randrange(-8192, 8192), time=0))
    file.tracks += [first, second]
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def running_status():
    return header(0, 1, 96) + track(
        (0, 0x90, 60, 100), (0, 64, 100), (0, 67, 100), (96, 60, 0), (0, 64, 0), (0, 67, 0),
        (200, 0xC0, 5), (0, 7), (0, 0xD0, 11), (0, 12),
        (0, 0x99, 38, 90), (24, 38, 0), (20000, 38, 91), (24, 0x89, 38, 64), (0, 38, 64))


def running_across_metas():
    """As some programs write: running status goes on after meta events. (After system events mido
    takes the data for another of these.)"""
    return header(0, 1, 96) + track(
        (0, 0x90, 60, 100), meta(0, 0x01, b"text"), (0, 64, 100),
        (6, 60, 0), meta(3, 0x06, b"marker"), (1, 64, 0))


def overlaps():
    """The same key struck again while it sounds, notes of no length, notes that never end, and
    note-offs that end nothing."""
    return header(1, 2, 96) + track(
        (0, 0x80, 60, 0), (0, 0x90, 60, 1), (10, 0x90, 60, 2), (10, 0x90, 60, 3),
        (10, 0x80, 60, 0), (10, 0x80, 60, 0), (5, 0x90, 61, 4), (0, 0x80, 61, 0), (0, 0x80, 61, 0),
        (7, 0x90, 62, 5), end=33) + track(
        (0, 0x90, 60, 9), (0, 0x91, 60, 8), (3, 0x81, 60, 0), (3, 0x90, 59, 7), (0, 0x90, 58, 7), end=2)


def missing_note_offs():
    """Keys with too few note-offs: at first, in the middle, twice in a row, and none at all."""
    return header(1, 2, 96) + track(
        (0, 0x90, 60, 1), (96, 0x90, 60, 2), (96, 0x80, 60, 0), (0, 0x90, 60, 3), (48, 0x80, 60, 0),
        (0, 0x90, 61, 4), (10, 0x80, 61, 0), (0, 0x90, 61, 5), (10, 0x90, 61, 6), (0, 0x90, 61, 7),
        (10, 0x90, 61, 0), (10, 0x90, 61, 8), (10, 0x80, 61, 0), (0, 0x90, 61, 9), (5, 0x80, 61, 0),
        (5, 0x90, 62, 10), (5, 0x90, 62, 11), (5, 0x90, 62, 12), end=33) + track(
        (0, 0x90, 60, 9), (300, 0x90, 60, 8), (3, 0x90, 60, 0), end=2)


def all_notes_off():
    """Controllers that end the notes of their channel, in the same track and in another."""
    return header(1, 3, 96) + track(
        (0, 0x90, 60, 1), (96, 0xB0, 123, 0), (0, 0x90, 60, 2), (48, 0x80, 60, 0),
        (0, 0x90, 62, 3), (0, 0x90, 62, 4), (20, 0xB0, 120, 0), (5, 0x80, 62, 0), (5, 0x90, 62, 5),
        (9, 0x80, 62, 0), (1, 0xB0, 122, 0), (0, 0xB0, 121, 0), end=200) + track(
        (10, 0x90, 72, 6), (0, 0x91, 72, 7), (300, 0x80, 72, 0), (0, 0x81, 72, 0), (0, 0x90, 72, 8)) + track(
        (120, 0xB1, 126, 1), (200, 0xB1, 127, 0), (0, 0xB0, 124, 0), (50, 0xB0, 125, 0))


def pedal():
    """The sustain pedal of a channel in one track, notes in two; lifted, pressed again and let be."""
    return header(1, 3, 96) + track(
        (10, 0xB0, 64, 64), (90, 0xB0, 64, 63), (0, 0xB0, 64, 127), (100, 0xB0, 121, 0),
        (50, 0xB0, 64, 127), (50, 0xB0, 120, 0), (30, 0xB0, 64, 0), (20, 0xB1, 64, 127)) + track(
        (0, 0x90, 60, 1), (10, 0x80, 60, 0), (0, 0x90, 61, 2), (20, 0x80, 61, 0), (0, 0x90, 62, 3),
        (70, 0x80, 62, 0), (10, 0x90, 62, 4), (20, 0x80, 62, 0), (120, 0x90, 62, 5), (10, 0x80, 62, 0),
        (10, 0x90, 63, 6), (60, 0x80, 63, 0)) + track(
        (20, 0x90, 60, 7), (10, 0x80, 60, 0), (10, 0x91, 60, 8), (100, 0x81, 60, 0),
        (0, 0x90, 61, 9), (400, 0x81, 60, 0), (0, 0x91, 62, 10), (10, 0x81, 62, 0), end=90)


def early_end_of_track():
    """An end-of-track event before the first note, and between two."""
    return header(1, 1, 96) + track(
        meta(0, 0x2F, b""), (0, 0x90, 60, 1), (48, 0x80, 60, 0), meta(48, 0x2F, b""),
        (0, 0x90, 62, 2), (48, 0x80, 62, 0))


def format_2():
    return header(2, 3, 120) + track(
        meta(0, 0x51, b"\x0a\x00\x00"), (10, 0x90, 60, 64), (50, 0x80, 60, 64), end=60) + track(
        meta(5, 0x51, b"\x04\x00\x00"), (0, 0x90, 62, 64), (50, 0x80, 62, 64), end=5) + track(
        meta(0, 0x58, b"\x03\x02\x18\x08"), (0, 0x90, 64, 64), end=70)


def all_kinds(foreign=b""):
    """Every kind of message, system events of several packets, a longer header; chunks of other
    types where they are wanted, which mido refuses."""
    return header(1, 2, 960, extra=b"more") + foreign + track(
        (0, 0xA1, 60, 7), (0, 0xB1, 7, 100), (0, 0xB1, 64, 127), (0, 0xE1, 0, 64), (0, 0xD1, 9),
        (0, 0xF0, 4, 0x7E, 0x7F, 9, 0xF7), (10, 0xF0, 2, 0x43, 0x12), (10, 0xF7, 3, 0x13, 0x14, 0xF7),
        meta(0, 0x00, b"\0\x05"), meta(0, 0x7F, bytes(300)), meta(0, 0x20, b"\x01"),
        meta(0, 0x21, b"\0"), meta(0, 0x54, bytes(5)), meta(0, 0x58, b"\x07\x03\x18\x08"),
        meta(0, 0x59, b"\xfd\x01"), meta(0, 0x05, "läng".encode()), (0, 0x91, 60, 127), (100, 0x81, 60, 0),
        (0, 0xB1, 64, 0)) + foreign + track((0, 0x90, 0, 1), (0x0FFFFFFF, 0x90, 127, 1), (1, 0x80, 0, 0), (1, 0x80, 127, 0))


def in_riff(data):
    body = b"RMID" + b"DISP" + (3).to_bytes(4, "little") + b"abc\0" + b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def main():
    HERE.mkdir(exist_ok=True)
    files = {make.__name__: make() for make in (
        plain, running_status, running_across_metas, overlaps, missing_note_offs, all_notes_off, pedal,
        early_end_of_track, format_2, all_kinds)}
    seen = {}
    for name, data in files.items():
        file = mido.MidiFile(file=io.BytesIO(data))
        seen[name] = {
            "ticks_per_quarter": file.ticks_per_beat,
            "end": reference.end_of(file),
            "notes": reference.notes(file)[0],
            "held": reference.notes(file, sustain=True)[0],
            "tempos": reference.tempos(file),
            "time_signatures": reference.time_signatures(file),
            "key_signatures": reference.key_signatures(file),
            "names": [t.name for t in file.tracks],
        }
    files["riff"], seen["riff"] = in_riff(files["plain"]), seen["plain"]
    files["all_kinds"] = all_kinds(foreign=chunk(b"XFIH", bytes(13)))
    for name, data in files.items():
        (HERE / f"{name}.mid").write_bytes(data)
    lines = [f"{json.dumps(name)}: {json.dumps(facts, separators=(',', ':'))}" for name, facts in seen.items()]
    (HERE / "notes.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
