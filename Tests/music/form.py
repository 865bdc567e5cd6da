"""The form of pieces, for measure.py: what returns in them, and how they are built.

A piece has `notes`, (start, duration, pitch) in quarter notes, `length` in quarter notes, and `signatures`,
(start, numerator, denominator). Bars are compared by what begins in them: onsets, durations and pitches in
24ths of a quarter note. Bars without notes do not count.
"""
import statistics

PHRASE = 4  # bars


def bars(piece):
    """The bars of a piece, a sorted tuple of (onset, duration, pitch) each."""
    lines, changes = [], piece.signatures or [(0, 4, 4)]
    for i, (start, numerator, denominator) in enumerate(changes):
        end = changes[i + 1][0] if i + 1 < len(changes) else piece.length
        while start < end - 1e-6:
            lines.append(start)
            start += 4 * numerator / denominator
    result, notes, next_note = [], sorted(piece.notes), 0
    for line, end in zip(lines, lines[1:] + [float("inf")]):
        bar = []
        while next_note < len(notes) and notes[next_note][0] < end - 1e-6:
            start, duration, pitch = notes[next_note]
            bar.append((round(24 * (start - line)), round(24 * duration), pitch))
            next_note += 1
        result.append(tuple(sorted(bar)))
    return result


def rhythm(bar):
    return tuple(sorted({(onset, duration) for onset, duration, _ in bar}))


def intervals(bar):
    lowest = min(pitch for _, _, pitch in bar)
    return tuple((onset, duration, pitch - lowest) for onset, duration, pitch in bar)


class Form:
    """What is counted of a piece."""

    def __init__(self, piece, key):
        all_bars = bars(piece)
        self.bars = sum(bool(bar) for bar in all_bars)
        self.same = self.moved = self.rhythms = self.on_phrase = self.run = 0
        self.distances = []
        seen, shapes, rhythms, run = {}, set(), set(), 1
        for i, bar in enumerate(all_bars):
            if not bar:
                continue
            if bar in seen:
                self.same += 1
                self.distances.append(i - seen[bar])
                self.on_phrase += (i - seen[bar]) % PHRASE == 0
            elif intervals(bar) in shapes:
                self.moved += 1
            self.rhythms += rhythm(bar) in rhythms
            run = run + 1 if i and bar == all_bars[i - 1] else 1
            self.run = max(self.run, run)
            seen[bar] = i
            shapes.add(intervals(bar))
            rhythms.add(rhythm(bar))
        pitches = [pitch for _, _, pitch in piece.notes]
        self.range = max(pitches) - min(pitches) if pitches else 0
        self.density = len(piece.notes) / max(1, self.bars)
        self.silence = silence(piece)
        # Keys and cadences, phrase by phrase.
        tonic, minor = key(piece.notes)
        third = 3 if minor else 4
        self.phrases = self.in_key = self.cadences = 0
        for first in range(0, len(all_bars) - PHRASE + 1, PHRASE):
            phrase = all_bars[first:first + PHRASE]
            notes = [(onset, duration / 24, pitch) for bar in phrase for onset, duration, pitch in bar]
            if len(notes) < 4 or not phrase[-1]:
                continue
            self.phrases += 1
            window_tonic, _ = key(notes)
            # The relative key, the dominant and the subdominant are near.
            self.in_key += (window_tonic - tonic) % 12 in {0, 5, 7, 3 if minor else 9}
            last = max(phrase[-1], key=lambda note: (note[0], note[2]))[2]
            self.cadences += (last - tonic) % 12 in {0, third, 7}


def silence(piece):
    """The share of a piece's time in which nothing sounds."""
    sounding, reached = 0.0, 0.0
    for start, duration, _ in sorted(piece.notes):
        end = min(start + duration, piece.length)
        sounding += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return 1 - sounding / piece.length if piece.length else 0.0


def rows(samples, learned):
    """(name, value of the samples, of the material, whether it holds or None) of each measure."""

    def share(forms, count, of="bars"):
        return sum(getattr(f, count) for f in forms) / max(1, sum(getattr(f, of) for f in forms))

    def percent(name, count, of="bars", least=None, most=None):
        value, against = share(samples, count, of), share(learned, count, of)
        holds = None if least is None else least * against <= value <= most * against
        between = "" if least is None else f"{least * against:.0%} to {min(1, most * against):.0%}, "
        return name, f"{value:.1%}", f"{between}material {against:.1%}", holds

    def middle(name, of, digits=1):
        value, against = (statistics.median(map(of, forms)) for forms in (samples, learned))
        return name, f"{value:.{digits}f}", f"material {against:.{digits}f}", None

    distances = [[d for form in forms for d in form.distances] or [0] for forms in (samples, learned)]
    runs = [sorted(form.run for form in forms)[int(0.95 * (len(forms) - 1))] for forms in (samples, learned)]
    return [
        percent("bars that return", "same", least=0.6, most=1.2),
        percent("bars that return, transposed", "moved"),
        percent("rhythms of bars that return", "rhythms", least=0.8, most=1.25),
        percent("returns at whole phrases", "on_phrase", of="same"),
        ("bars back to it, median", *[f"{statistics.median(d):.0f}" if i == 0 else f"material {statistics.median(d):.0f}"
                                      for i, d in enumerate(distances)], None),
        ("the same bar in a row, 95 % of them", f"{runs[0]}", f"at most {max(2, 2 * runs[1])}, material {runs[1]}",
         runs[0] <= max(2, 2 * runs[1])),
        percent("phrases ending on the chord", "cadences", of="phrases"),
        percent("phrases in the key or near it", "in_key", of="phrases"),
        middle("notes of a bar, median", lambda form: form.density),
        middle("range in semitones, median", lambda form: form.range, 0),
        middle("share of silence, median", lambda form: form.silence, 3),
    ]
