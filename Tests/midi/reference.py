"""What mido sees in a MIDI file: the notes, the tempos, the signatures. Notes are paired here as
`MIDIFile.notes` says it pairs them, written independently of it."""
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


def notes(file, ended_only=False):
    """[start, duration, channel, pitch, velocity, track], by start, channel, pitch. Notes that nothing
    ends last to the end of the track, or are left out."""
    result = []
    base = 0
    for number, (events, end) in enumerate(tracks_of(file)):
        sounding = collections.defaultdict(collections.deque)
        for tick, message in events:
            if message.type not in ("note_on", "note_off"):
                continue
            key = (message.channel, message.note)
            if message.type == "note_on" and message.velocity > 0:
                note = [base + tick, None, *key, message.velocity, number]
                sounding[key].append(note)
                result.append(note)
            elif sounding[key]:
                note = sounding[key].popleft()
                note[1] = base + tick - note[0]
        for queue in sounding.values():
            for note in queue:
                note[1] = base + end - note[0]
                if ended_only:
                    result.remove(note)
        if file.type == 2:
            base += end
    return sorted(result, key=lambda note: (note[0], note[2], note[3]))


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


def end(file):
    """The last tick: that of the longest track, in format 2 the sum of all."""
    ends = [0] + [end for _, end in tracks_of(file)]
    return sum(ends) if file.type == 2 else max(ends)
