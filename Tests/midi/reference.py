"""What mido sees in a MIDI file: the notes, the tempos, the signatures. Notes are paired here as
`MIDIFile.notes` says it pairs them, written independently of it."""
import bisect
import collections

import mido


def tracks_of(file):
    """Each track as (tick, message), and the tick of its end."""
    for track in file.tracks:
        tick = 0
        events = []
        for message in track:
            tick += message.time
            events.append((tick, message))
        yield events, tick


def controls(file):
    """By channel: the ticks at which all its notes end, and the times in which its pedal is down."""
    changes = []
    base = 0
    for events, end in tracks_of(file):
        changes += [(base + tick, m.channel, m.control, m.value) for tick, m in events if m.type == "control_change"]
        if file.type == 2:
            base += end
            changes += [(base, channel, 121, 0) for channel in range(16)]
    cuts, pedals = collections.defaultdict(list), collections.defaultdict(list)
    down = {}
    for tick, channel, control, value in sorted(changes, key=lambda change: change[0]):
        if control == 120 or control >= 123:
            cuts[channel].append(tick)
        if channel in down and (control in (120, 121) or control == 64 and value < 64):
            pedals[channel].append((down.pop(channel), tick))
            if control == 120:
                down[channel] = tick
        elif control == 64 and value >= 64:
            down.setdefault(channel, tick)
    for channel, tick in down.items():
        pedals[channel].append((tick, end_of(file)))
    return cuts, pedals


def paired(strokes, last):
    """Ends of the notes of one key, in which nothing else ends them: by the index of their note-on, of
    (tick, whether it is a note-on). Those without a note-off last until `last` at most."""
    open_brackets = []
    for i, (_, is_on) in enumerate(strokes):
        if is_on:
            open_brackets.append(i)
        elif open_brackets:
            open_brackets.pop()
    ends, queue, lone = {}, collections.deque(), None
    for i, (tick, is_on) in enumerate(strokes):
        if lone is not None and (not is_on or i in open_brackets):
            ends[lone], lone = tick, None
        if not is_on and queue:
            ends[queue.popleft()] = tick
        elif is_on and i in open_brackets:
            lone = i
        elif is_on:
            queue.append(i)
    if lone is not None:
        ends[lone] = last
    return ends, open_brackets


def notes(file, sustain=False):
    """[start, duration, channel, pitch, velocity, track], by start, channel, pitch; and the number of
    notes without a note-off of their own."""
    result, mended = [], 0
    cuts, pedals = controls(file)
    base = 0
    for number, (events, end) in enumerate(tracks_of(file)):
        keys = collections.defaultdict(list)
        for tick, message in events:
            if message.type in ("note_on", "note_off"):
                # Those of a section, from one cut of the channel to the next, are paired by themselves.
                section = bisect.bisect_right(cuts[message.channel], base + tick)
                keys[message.channel, message.note, section].append((base + tick, message))
        for (channel, pitch, section), found in keys.items():
            following = cuts[channel][section:section + 1]
            strokes = [(tick, m.type == "note_on" and m.velocity > 0) for tick, m in found]
            ends, lone = paired(strokes, min([base + end, *following]))
            mended += len(lone)
            for i, stop in sorted(ends.items()):
                tick, message = found[i]
                result.append([tick, stop - tick, channel, pitch, message.velocity, number])
        if file.type == 2:
            base += end
    # Equals stay in the order of their note-ons.
    result.sort(key=lambda note: (note[0], note[2], note[3], note[5]))
    if sustain:
        starts = collections.defaultdict(list)
        for note in result:
            starts[note[2], note[3]].append(note[0])
        for note in result:
            stop = note[0] + note[1]
            for down, up in pedals[note[2]]:
                if down < stop < up:
                    later = [start for start in starts[note[2], note[3]] if start >= max(stop, note[0] + 1)]
                    note[1] = min([up, *later[:1]]) - note[0]
                    break
    return result, mended


def _metas(file, kind):
    result = {}
    base = 0
    for events, end in tracks_of(file):
        for tick, message in events:
            if message.type == kind:
                # Of those at one tick the last counts.
                result[base + tick] = message
        if file.type == 2:
            base += end
    return sorted(result.items())


def tempos(file):
    """[tick, seconds, microseconds per quarter note], the first at tick 0."""
    changes = {0: 500_000}
    changes.update({tick: message.tempo for tick, message in _metas(file, "set_tempo")})
    result = []
    for tick, tempo in sorted(changes.items()):
        seconds = 0.0
        if result:
            before, start, speed = result[-1]
            seconds = start + mido.tick2second(tick - before, file.ticks_per_beat, speed)
        result.append([tick, seconds, tempo])
    return result


def time_signatures(file):
    return [[tick, m.numerator, m.denominator] for tick, m in _metas(file, "time_signature")]


def key_signatures(file):
    """[tick, mido's name of the key]."""
    return [[tick, m.key] for tick, m in _metas(file, "key_signature")]


def end_of(file):
    """The last tick: that of the longest track, in format 2 the sum of all."""
    ends = [0] + [end for _, end in tracks_of(file)]
    return sum(ends) if file.type == 2 else max(ends)
