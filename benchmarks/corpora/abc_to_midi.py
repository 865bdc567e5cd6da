#!/usr/bin/env python3
"""abc_to_midi.py ABC... -o FOLDER: the tunes of ABC files as MIDI files, one each, repeats written out.

Reads what the tune books of music21's corpus use of the ABC standard 2.1 (https://abcnotation.com/wiki/abc:standard):
the fields M, L, K, T and Z, notes with accidentals, octaves, lengths, broken rhythm and ties, tuplets, repeats and
endings. Grace notes, decorations, slurs, chord symbols and annotations are left out; of a chord the highest note
stays. A tune that begins with an upbeat begins within its first bar, so that bar lines are where they belong. A
tune whose bars do not add up is left out. FOLDER/credits.txt names who transcribed the tunes.
"""
import argparse
import collections
import pathlib
import re
from fractions import Fraction

QUARTER = 480
SHARPS = {"C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F#": 6, "C#": 7, "F": -1, "Bb": -2, "Eb": -3, "Ab": -4,
          "Db": -5, "Gb": -6, "Cb": -7}
MODES = {"": 0, "maj": 0, "ion": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3, "phr": -4, "loc": -5, "lyd": 1}
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SCANNER = re.compile(r"""
    (?P<skip>"[^"]*"|![^!]*!|\{[^}]*\}|\[[A-Za-z]:[^\]]*\]|\\|`|&)
  | (?P<bar>\|\]|\[\||::|:\|+:?|\|+:|\|+|:)\s*(?P<ending>\[?[12](?:[,-]\d)*(?![\d/]))?
  | \[(?P<only>[12])(?![A-Ga-g^_=])
  | \((?P<tuplet>\d)(?::(?P<time>\d*))?(?::(?P<notes>\d*))?
  | \[(?P<chord>[^\]]*)\](?P<chord_length>\d*/*\d*)
  | (?P<accidental>\^\^|\^|=|__|_)?(?P<note>[A-Ga-gzx])(?P<octave>[',]*)(?P<length>\d*/*\d*)
  | (?P<tie>-)
  | (?P<broken>>+|<+)
""", re.X)


class Skipped(Exception):
    pass


def signature(key):
    """The accidental of each letter in a key, and its sharps; of a key that is none, no accidentals."""
    match = re.match(r"\s*([A-G][#b]?)\s*([A-Za-z]*)", key)
    if not match:
        return {}, 0
    mode = match[2].lower()
    sharps = SHARPS.get(match[1], 0) + MODES.get("m" if mode == "m" else mode[:3], 0)
    letters = "FCGDAEB"[:sharps] if sharps > 0 else "BEADGCF"[:-sharps]
    return {letter: 1 if sharps > 0 else -1 for letter in letters}, sharps


def length(text):
    if not text:
        return Fraction(1)
    number, slash, rest = text.partition("/")
    if not slash:
        return Fraction(int(number))
    divisor = int(rest) if rest.isdigit() else 2 ** (1 + rest.count("/"))
    if not divisor:
        raise Skipped("a length of nothing")
    return Fraction(int(number or 1), divisor)


def pitch(match, key, here):
    letter, upper = match["note"], match["note"].upper()
    octave = (5 if letter.islower() else 4) + match["octave"].count("'") - match["octave"].count(",")
    place = (upper, octave)
    if match["accidental"]:
        here[place] = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}[match["accidental"]]
    return 12 * (octave + 1) + STEPS[upper] + here.get(place, key.get(upper, 0))


def parts(body, unit, key):
    """The passages between bar lines: (notes as [pitch or None, length], bar before, its ending, bar after)."""
    result, notes, here, before, ending = [], [], {}, "", None
    tuplet, left, broken, tied = Fraction(1), 0, None, False
    for match in SCANNER.finditer(body):
        kind = match.lastgroup
        if match["skip"]:
            continue
        if match["bar"]:
            if notes or ending:
                result.append((notes, before, ending, match["bar"]))
            elif result and match["bar"] != "|":
                result[-1] = (*result[-1][:3], result[-1][3] + match["bar"])
            notes, here, before = [], {}, match["bar"]
            ending = match["ending"].strip("[") if match["ending"] else None
        elif match["only"]:
            ending = match["only"]
        elif match["tuplet"]:
            size = int(match["tuplet"])
            time = int(match["time"]) if match["time"] else {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(size, 2)
            tuplet, left = Fraction(time, size), int(match["notes"] or size)
        elif match["tie"]:
            tied = bool(notes)
        elif match["broken"]:
            if notes:
                share = Fraction(1, 2 ** len(match["broken"]))
                longer, shorter = 2 - share, share
                first, second = (longer, shorter) if ">" in match["broken"] else (shorter, longer)
                notes[-1][1] *= first
                broken = second
        elif match["note"] or match["chord"] is not None:
            if match["note"]:
                sound = None if match["note"] in "zx" else pitch(match, key, here)
                value = length(match["length"])
            else:
                inner = [m for m in SCANNER.finditer(match["chord"]) if m["note"] and m["note"] not in "zx"]
                if not inner:
                    continue
                sound = max(pitch(m, key, here) for m in inner)
                value = length(inner[0]["length"]) * length(match["chord_length"])
            value *= unit
            if left:
                value, left = value * tuplet, left - 1
            if broken:
                value, broken = value * broken, None
            if tied and notes and notes[-1][0] == sound and sound is not None:
                notes[-1][1] += value
            elif tied and not notes and result and sound is not None:
                notes.append([sound, value])
            else:
                notes.append([sound, value])
            tied = False
    if notes:
        result.append((notes, before, ending, "|]"))
    return result


def unfolded(passages):
    """The passages in the order they are played."""
    order, start, i, second, repeated = [], 0, 0, False, set()
    while i < len(passages):
        _, before, ending, after = passages[i]
        if before.endswith(":") and not second:
            start = i
        if ending and ending.startswith("1") and second:
            # To the second ending.
            while i < len(passages) and not (passages[i][2] or "").startswith("2"):
                i += 1
            second = False
            continue
        order.append(i)
        if len(order) > 2000:
            raise Skipped("too long")
        if after.startswith(":") and i not in repeated:
            repeated.add(i)
            second, i = True, start
            continue
        if after.startswith(":") or "||" in after or "]" in after:
            start, second = i + 1, False
        elif (passages[i + 1][1] if i + 1 < len(passages) else "").endswith(":"):
            second = False
        i += 1
    return [passages[i] for i in order]


def tune(lines):
    """(title, credit, notes as (start, duration, pitch) in quarter notes, numerator, denominator, sharps)"""
    fields, body = {}, []
    for line in lines:
        line = line.split("%")[0].rstrip()
        match = re.match(r"([A-Za-z]):(.*)", line)
        if match and not (match[1] in "ABCDEFG" and "|" in line):
            if match[1] in "MLK" and body:
                raise Skipped("changes of time signature, unit or key")
            if not body:
                fields.setdefault(match[1], match[2].strip().strip('"'))
        elif line:
            body.append(line)
    meter = {"C": "4/4", "C|": "2/2"}.get(fields.get("M", ""), fields.get("M", ""))
    match = re.fullmatch(r"(\d+)/(\d+)", meter)
    if not match or re.search(r"\[[MLK]:", " ".join(body)):
        raise Skipped("no time signature, or changes")
    numerator, denominator = int(match[1]), int(match[2])
    bar = Fraction(4 * numerator, denominator)
    unit = fields.get("L", "")
    unit = 4 * Fraction(unit) if re.fullmatch(r"\d+/\d+", unit) else Fraction(1, 4) if bar < 3 else Fraction(1, 2)
    key, sharps = signature(fields.get("K", ""))
    played = unfolded(parts(" ".join(body), unit, key))
    if not played:
        raise Skipped("no notes")
    first = sum(value for _, value in played[0][0])
    position = bar - first if first < bar else Fraction(0)
    notes, wrong, lines_seen = [], 0, 0
    for content, _, _, after in played:
        for sound, value in content:
            if sound is not None:
                notes.append((position, value, sound))
            position += value
        if after == "|":
            lines_seen += 1
            wrong += position % bar != 0
    if wrong * 20 > lines_seen or len(notes) < 16:
        raise Skipped("bars that do not add up, or too short")
    return fields.get("T", "?"), fields.get("Z", ""), notes, numerator, denominator, sharps


def variable(value):
    data = [value & 127]
    while value > 127:
        value >>= 7
        data.insert(0, value & 127 | 128)
    return bytes(data)


def midi(title, notes, numerator, denominator, sharps):
    events = []
    for start, duration, sound in notes:
        begin = round(start * QUARTER)
        events += [(begin, 1, sound), (max(begin + 1, round((start + duration) * QUARTER)), 0, sound)]
    name = title.encode()[:100]
    track = b"\0\xff\x03" + variable(len(name)) + name
    track += b"\0\xff\x58\4" + bytes([numerator, denominator.bit_length() - 1, 24, 8])
    track += b"\0\xff\x59\2" + bytes([max(-7, min(7, sharps)) & 255, 0])
    now = 0
    for tick, on, sound in sorted(events):
        track += variable(tick - now) + bytes([0x90 if on else 0x80, sound, 80 if on else 64])
        now = tick
    track += b"\0\xff\x2f\0"
    return b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1]) + QUARTER.to_bytes(2, "big") + b"MTrk" + len(track).to_bytes(4, "big") + track


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="ABC")
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path, metavar="FOLDER")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    written, reasons, credits = 0, collections.Counter(), collections.Counter()
    for path in sorted(map(pathlib.Path, options.files)):
        tunes, current = [], None
        for line in path.read_text(encoding="latin-1").splitlines():
            if line.startswith("X:"):
                current = []
                tunes.append((line[2:].strip(), current))
            elif current is not None:
                current.append(line)
        for number, lines in tunes:
            try:
                title, credit, *rest = tune(lines)
                name = re.sub(r"\W+", "_", f"{path.parent.name}_{path.stem}_{number}")
                (options.output / f"{name}.mid").write_bytes(midi(title, *rest))
                credits[re.sub(r"\S*@\S+|<[^>]*>|\([^)]*\)", "", credit).strip(" ,") or "not named"] += 1
                written += 1
            except (Skipped, ValueError, IndexError) as error:
                reasons[str(error)[:60]] += 1
    (options.output / "credits.txt").write_text("".join(f"{n} tunes: {who}\n" for who, n in credits.most_common()))
    print(f"{written} tunes written; left out: {dict(reasons)}")


if __name__ == "__main__":
    main()
