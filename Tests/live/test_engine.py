"""The live engine in simulated time: every mode, random players, clocks that jump, any block size."""
import json
import math
import random
import subprocess
import tempfile
import time
import unittest

import engine
from engine import ACCOMPANY, ANSWER, PLAY, PPQ, TRADE, Engine, Model

TUNE = [62, 64, 66, 67, 69, 71, 73, 74, 69, 66, 62]
MODELS = {}


def model(name):
    if name not in MODELS:
        MODELS[name] = Model(name)
    return MODELS[name]


def run(e, until, block, events=(), start=0.0):
    """Time passes in blocks; `events` are (tick, message bytes), in order."""
    now, events = start, list(events)
    while now < until:
        while events and events[0][0] < now + block:
            tick, message = events.pop(0)
            e.hear(tick, *message)
        e.advance(now, now + block)
        now += block
    return now


def melody(pitches, start, quarter, velocity=70, length=0.9, channel=0):
    for i, pitch in enumerate(pitches):
        yield start + i * quarter, (0x90 | channel, pitch, velocity)
        yield start + (i + length) * quarter, (0x80 | channel, pitch, 0)


def sampled(name, seed, bars):
    """What the tool writes: (start tick, pitch) of the notes, in order, and ticks of a quarter note."""
    tool = engine.BUILD / "libretto"
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/a.mid"
        subprocess.run([tool, "sample", name, "--seed", str(seed), "--bars", str(bars), "-o", path], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        notes = subprocess.run([tool, "midi", "notes", path], check=True, capture_output=True, text=True).stdout
        info = json.loads(subprocess.run([tool, "midi", "info", path, "--json"], check=True, capture_output=True).stdout)
    rows = [list(map(int, line.split(","))) for line in notes.splitlines()[1:]]
    return sorted((row[0], row[3]) for row in rows), info["division"]["ticks_per_quarter"]


class Case(unittest.TestCase):
    def faults(self, e, may_sound=False):
        """What was handed over is in order, begins and ends each note once, and leaves nothing sounding."""
        sounding, last = set(), -1
        for tick, channel, pitch, velocity in e.events:
            self.assertGreaterEqual(tick, last)
            last = tick
            if velocity:
                self.assertNotIn((channel, pitch), sounding)
                sounding.add((channel, pitch))
            else:
                self.assertIn((channel, pitch), sounding)
                sounding.remove((channel, pitch))
        if not may_sound:
            self.assertEqual(sounding, set())
        self.assertEqual(e.state.sounding, len(sounding))
        self.assertEqual(e.state.status, 0)

    def engine(self, name="tunes", mode=PLAY, **settings):
        e = Engine(model(name), seed=settings.pop("seed", 1), bars=settings.pop("kept", 16))
        self.addCleanup(e.close)
        e.set("mode", mode)
        for setting, value in settings.items():
            self.assertTrue(e.set(setting.replace("_", "-"), value), setting)
        return e


class Play(Case):
    def test_it_is_what_the_tool_samples(self):
        for name in ("tunes", "folk", "drums"):
            theirs, quarter = sampled(name, 7, 8)
            self.assertGreater(len(theirs), 8)
            for block in (7, 100, 5000):
                e = self.engine(name, bars=8, seed=7)
                run(e, 40 * 4 * PPQ, block)
                mine = sorted((round(n[0] * quarter / PPQ), n[2]) for n in e.notes())
                self.assertEqual(mine, theirs, (name, block))
                self.assertTrue(e.state.is_finished)
                self.faults(e)

    def test_few_draws_a_call_give_the_same(self):
        whole, slow = self.engine(bars=8), self.engine(bars=8)
        run(whole, 40 * 4 * PPQ, 100)
        now = 0.0
        while now < 40 * 4 * PPQ:
            while slow.advance(now, now + 2000, 2) <= now:
                pass
            now += 20
        self.assertEqual(whole.events, slow.events)

    def test_the_same_bars_come_again(self):
        """A loop of bars 4 to 6, where each round begins between two calls or within one's horizon."""
        e = self.engine("folk", numerator=4)
        bar, rounds = 4 * PPQ, []
        now = 0.0
        e.transport(now, position=0)
        now = run(e, 6 * bar, 64)
        for _ in range(3):
            e.transport(now, position=3 * bar)
            before = len(e.events)
            begin = now
            now = run(e, now + 3 * bar, 64, start=now)
            rounds.append(sorted((t - begin, p) for t, _, p, v in e.events[before:] if v))
            self.assertGreater(len(rounds[-1]), 3)
        self.assertEqual(rounds[0], rounds[1])
        self.assertEqual(rounds[1], rounds[2])
        first = sorted((t - 3 * bar, p) for t, _, p, v in e.events if v and 3 * bar <= t < 6 * bar)
        self.assertEqual(first, rounds[0])
        e.transport(now, running=False, position=6 * bar)
        self.faults(e)

    def test_it_goes_back_further_than_it_kept(self):
        e = self.engine("folk", kept=2, numerator=4)
        bar = 4 * PPQ
        e.transport(0, position=0)
        now = run(e, 30 * bar, 240)
        first = [(t, p) for t, _, p, v in e.events if v and 2 * bar <= t < 6 * bar]
        e.transport(now, position=2 * bar)
        begin, before = now, len(e.events)
        now = run(e, now + 4 * bar, 240, start=now)
        again = [(t - begin + 2 * bar, p) for t, _, p, v in e.events[before:] if v]
        self.assertEqual(again, first)
        e.transport(now, running=False, position=6 * bar)
        self.faults(e)

    def test_a_transport_that_stands_plays_nothing(self):
        e = self.engine()
        e.transport(0, running=False, position=0)
        run(e, 20 * PPQ, 100)
        self.assertEqual(e.events, [])
        e.transport(20 * PPQ, running=True, position=0)
        now = run(e, 40 * PPQ, 100, start=20.0 * PPQ)
        self.assertGreater(len(e.events), 10)
        self.assertGreaterEqual(e.events[0][0], 20 * PPQ)
        e.transport(now, running=False, position=20 * PPQ)
        count = len(e.events)
        run(e, 60 * PPQ, 100, start=now)
        self.assertEqual(len(e.events), count)
        self.faults(e)

    def test_a_transport_that_stands_is_prepared(self):
        """What comes before its place is drawn while it stands, and notes at the very place are played, whatever fraction
        of a tick it is told at."""
        e = self.engine("folk", numerator=4)
        e.transport(0, position=0)
        run(e, 20 * 4 * PPQ, 64)
        places = sorted({t for t, _, _, v in e.events if v and 4 * PPQ < t < 16 * 4 * PPQ})
        e = self.engine("folk", numerator=4)
        now = 0.0
        for place in places[::3]:
            now += 1000.3 + place / 7
            e.transport(now, running=False, position=place)
            while e.advance(now, now + 100, 16) <= now:
                pass
            now += 77.7
            drawn, before = e.state.drawn, len(e.events)
            e.transport(now, position=place)
            e.advance(now, now + 1)
            self.assertLess(e.state.drawn - drawn, 12)
            self.assertTrue([x for x in e.events[before:] if x[3]], place)
            self.assertLess(abs(e.events[before][0] - now), 1)
            e.transport(now + 1, running=False, position=place + 1)
        self.faults(e)

    def test_settings_hold_for_a_piece_that_was_prepared(self):
        e = self.engine("folk")
        e.transport(0, running=False, position=0)
        e.advance(0, 100)
        e.set("key", 3)
        e.transport(100, position=0)
        run(e, 40 * PPQ, 100, start=100.0)
        self.assertLessEqual({p % 12 for _, _, p, v in e.events if v}, {2, 4, 6, 7, 9, 11, 1})

    def test_silence_ends_notes_and_the_piece_goes_on(self):
        e = self.engine()
        now = run(e, 10 * PPQ + 10, 100)
        e.silence(now)
        self.faults(e)
        run(e, 20 * PPQ, 100, start=now)
        self.assertTrue(any(t > now for t, _, _, v in e.events if v))


class Answer(Case):
    def call(self, e, quarter=PPQ, pitches=TUNE, start=1000.0, block=100, wait=40, **more):
        events = list(melody(pitches, start, quarter, **more))
        now = run(e, events[-1][0] + wait * PPQ, block, events)
        return events[-1][0], now

    def test_an_answer_comes_and_ends(self):
        for name in ("tunes", "folk"):
            e = self.engine(name, ANSWER)
            end, _ = self.call(e)
            notes = e.notes()
            self.assertGreater(len(notes), 3)
            self.assertGreater(notes[0][0], end + 0.6 * 2 * PPQ - 1)
            self.assertLess(notes[0][0], end + 4 * PPQ)
            self.assertLess(notes[-1][1], notes[0][0] + len(TUNE) * PPQ + PPQ)
            self.faults(e)

    def test_it_is_the_same_at_any_block_size(self):
        results = []
        for block in (11, 64, 500):
            e = self.engine(mode=ANSWER)
            self.call(e, block=block)
            results.append(e.events)
        self.assertEqual(results[0], results[1])
        self.assertEqual(results[1], results[2])

    def test_it_follows_the_tempo_and_beat(self):
        for bpm, seed in ((75, 1), (97, 2), (97, 3), (120, 4), (120, 5), (151, 6), (151, 7)):
            e = self.engine("folk", ANSWER, seed=seed)
            quarter = PPQ * 120 / bpm
            self.call(e, quarter)
            beats = [(n[0] - 1000) / quarter for n in e.notes()]
            self.assertGreater(len(beats), 2)
            self.assertLess(abs(beats[0] - round(beats[0])) * quarter, 10)
            octaves = math.log2(e.state.tempo / bpm)
            self.assertLess(abs(octaves - round(octaves)), 0.01, bpm)

    def test_it_follows_the_key(self):
        inside = total = 0
        for shift in range(12):
            e = self.engine(mode=ANSWER)
            self.call(e, pitches=[p - 2 + shift for p in TUNE])
            classes = {(shift + d) % 12 for d in (0, 2, 4, 5, 7, 9, 11)}
            inside += sum(n[2] % 12 in classes for n in e.notes())
            total += len(e.notes())
            self.assertEqual(e.state.key, 1 + shift)
        self.assertGreater(inside, 0.97 * total)

    def test_it_follows_the_loudness(self):
        means = []
        for velocity in (30, 110):
            e = self.engine(mode=ANSWER)
            self.call(e, velocity=velocity)
            means.append(sum(n[3] for n in e.notes()) / len(e.notes()))
            self.assertLess(abs(means[-1] - velocity), 10)
        e = self.engine(mode=ANSWER, follow_loudness=0)
        self.call(e, velocity=30)
        self.assertGreater(min(n[3] for n in e.notes()), 60)

    def test_a_player_who_goes_on_is_not_answered(self):
        e = self.engine(mode=ANSWER)
        events = list(melody(TUNE * 4, 1000, PPQ))
        run(e, events[-1][0], 100, events)
        self.assertEqual(e.notes(), [])

    def test_who_plays_again_ends_the_answer(self):
        e = self.engine(mode=ANSWER)
        end, now = self.call(e, wait=6)
        self.assertTrue(e.state.is_playing)
        e.hear(now, 0x90, 60, 80)
        self.faults(e)
        run(e, now + 2 * PPQ, 100, start=now)
        self.assertTrue(all(t <= now for t, *_ in e.events))
        e.hear(now + 2 * PPQ, 0x80, 60, 0)
        run(e, now + 40 * PPQ, 100, start=now + 2 * PPQ)
        self.assertTrue(any(t > now for t, *_ in e.events))
        self.faults(e)

    def test_a_note_before_the_answer_is_heard_goes_on_with_the_call(self):
        """The answer was handed over already, for a time that has not come."""
        calls = []
        for early in (False, True):
            e = self.engine("folk", ANSWER)
            events = list(melody(TUNE, 1000, PPQ))
            now = run(e, events[-1][0] + 1, 100, events)
            if early:
                e.advance(now, now + 6 * PPQ)
                self.assertGreater(len(e.events), 0)
            more = list(melody([62, 66, 69], now + 200, PPQ))
            run(e, now + 40 * PPQ, 100, more, start=now)
            self.faults(e)
            calls.append(e.events)
        self.assertEqual(calls[0], calls[1])

    def test_an_answer_that_is_late_begins_on_a_later_beat(self):
        e = self.engine("folk", ANSWER)
        events = list(melody(TUNE, 1000, PPQ))
        now = run(e, events[-1][0] + 100, 100, events)
        now += 5.3 * PPQ
        run(e, now + 40 * PPQ, 100, start=now)
        notes = e.notes()
        self.assertGreater(len(notes), 3)
        self.assertGreaterEqual(notes[0][0], now)
        self.assertLess(notes[0][0], now + PPQ)
        self.assertLess(abs((notes[0][0] - 1000) / PPQ - round((notes[0][0] - 1000) / PPQ)) * PPQ, 10)
        self.assertEqual(e.state.late, 0)
        self.faults(e)

    def test_a_held_note_is_answered(self):
        e = self.engine(mode=ANSWER)
        e.hear(1000, 0x90, 62, 80)
        asked = e.advance(1000, 1100)
        self.assertAlmostEqual(asked, 1000 + 4 * 4 * PPQ)
        run(e, 60 * PPQ, 100)
        self.assertGreater(len(e.notes()), 0)

    def test_the_pedal_holds_notes(self):
        e = self.engine(mode=ANSWER)
        e.hear(1000, 0xB0, 64, 127)
        e.hear(1000, 0x90, 62, 80)
        e.hear(1400, 0x80, 62, 0)
        self.assertEqual(e.state.holding, 0)
        e.hear(1900, 0xB0, 64, 0)
        run(e, 40 * PPQ, 100)
        self.faults(e)

    def test_its_notes_do_not_end_the_players(self):
        e = self.engine(mode=ANSWER)
        self.call(e)
        self.assertEqual({channel for _, channel, _, _ in e.events}, {1})

    def test_a_source_that_vanishes_holds_nothing(self):
        e = self.engine(mode=ANSWER)
        e.hear(1000, 0x90, 62, 80, source=3)
        e.hear(1000, 0x90, 66, 80, source=4)
        engine.live.live_let_go(e.l, engine.ctypes.c_double(2000), 3)
        self.assertEqual(e.state.holding, 1)
        e.hear(2500, 0xB0, 123, 0)
        self.assertEqual(e.state.holding, 0)


class TakingTurns(Case):
    def test_trading_bars(self):
        """A player who is 3 % slow: the model's turns are between his, by his beat."""
        e = self.engine("folk", TRADE, trade_bars=2)
        quarter, bars = PPQ * 1.03, 8 * PPQ * 1.03
        events = [x for turn in range(4) for x in melody((TUNE + TUNE)[:8], 1000 + 2 * turn * bars, quarter)]
        run(e, 1000 + 8 * bars, 50, events)
        starts = [n[0] for n in e.notes()]
        self.assertGreater(len(starts), 8)
        for start in starts:
            place = (start - 1000) % (2 * bars)
            self.assertGreater(place, bars - 0.25 * quarter)
        self.faults(e, may_sound=True)

    def test_playing_along_and_stopping(self):
        e = self.engine("folk", ACCOMPANY)
        events = list(melody(TUNE * 3, 1000, PPQ))
        run(e, events[-1][0] + 30 * PPQ, 50, events)
        notes = e.notes()
        self.assertGreater(len(notes), 8)
        self.assertLess(notes[0][0], 1000 + 7 * PPQ)
        self.assertLess(notes[-1][0], events[-1][0] + 17 * PPQ)
        self.assertGreater(notes[-1][0], events[-1][0] - 8 * PPQ)
        self.assertFalse(e.state.is_playing)
        self.faults(e)

    def test_playing_along_by_the_players_beat(self):
        for bpm in (80, 104, 150):
            e = self.engine("folk", ACCOMPANY)
            quarter = PPQ * 120 / bpm
            events = list(melody(TUNE * 3, 1000, quarter))
            run(e, events[-1][0], 50, events)
            places = [(n[0] - 1000) / quarter * 4 for n in e.notes()]
            self.assertGreater(len(places), 4)
            on_grid = [abs(place - round(place)) < 0.2 for place in places]
            self.assertGreater(sum(on_grid), 0.9 * len(on_grid), bpm)

    def test_playing_along_at_the_hosts_tempo(self):
        e = self.engine("folk", ACCOMPANY, follow_tempo=0)
        run(e, 1000 + 6 * PPQ, 50, melody(TUNE, 1000, PPQ * 1.3))
        self.assertGreater(len(e.notes()), 0)
        self.assertLess(e.notes()[0][0], 1000 + 3 * PPQ)
        self.assertEqual({round((n[0] - 1000) / PPQ * 12, 2) % 1 for n in e.notes()}, {0})

    def test_a_late_call_leaves_a_turn_out(self):
        e = self.engine("folk", TRADE, trade_bars=1)
        e.hear(1000, 0x90, 62, 80)
        e.hear(1500, 0x80, 62, 0)
        e.advance(1500, 1600)
        e.advance(1000 + 4.5 * 4 * PPQ, 1000 + 4.6 * 4 * PPQ)  # its turns were bars 2 and 4
        self.assertEqual(e.notes(), [])
        run(e, 1000 + 7 * 4 * PPQ, 50, start=1000 + 4.6 * 4 * PPQ)
        self.assertGreater(len(e.notes()), 0)
        self.assertGreaterEqual(e.notes()[0][0], 1000 + 5 * 4 * PPQ - PPQ / 2)


class Anything(Case):
    def test_random_players_and_hosts(self):
        """Nothing hangs, nothing is begun twice, whatever comes."""
        simulated, began = 0, time.monotonic()
        for seed in range(60):
            draw = random.Random(seed)
            e = self.engine(draw.choice(["tunes", "folk", "drums", "pop", "chorale"]), draw.randrange(4), seed=seed)
            now, position, running = 0.0, 0.0, False
            for _ in range(400):
                block = draw.choice([0, 1, 10, 64, 300, 2000])
                for _ in range(draw.choice([0, 0, 0, 1, 3])):
                    at = now + draw.random() * block
                    e.hear(at, *draw.choice([
                        (draw.choice([0x90, 0x91, 0x99]), draw.randrange(128), draw.randrange(128)),
                        (draw.choice([0x80, 0x90]), draw.randrange(128), 0),
                        (0xB0, draw.choice([64, 120, 123, 7]), draw.randrange(128)),
                        (0xFF,), (0xF8,), (0x90, 200, 1), (0x90, 60)]), source=draw.randrange(3))
                    now = max(now, at)
                if draw.random() < 0.05:
                    e.set(draw.choice(list(engine.PARAMETERS)), draw.uniform(-10, 130))
                if draw.random() < 0.1:
                    running = draw.random() < 0.7
                    position = draw.choice([position, draw.uniform(-10000, 300000), 0])
                    e.transport(now, draw.uniform(30, 300), running, position, position - draw.uniform(0, 4000),
                                draw.choice([0, 3, 4, 6]), draw.choice([4, 8]))
                if draw.random() < 0.02:
                    e.silence(now)
                e.advance(now, now + block, draw.choice([1, 8, 1000]))
                now += block
                position += block if running else 0
            e.silence(now)
            self.faults(e)
            simulated += now / PPQ / 120
        print(f"{simulated:.0f} minutes in {time.monotonic() - began:.1f} s", flush=True)

    def test_wrong_values(self):
        e = self.engine()
        self.assertFalse(e.set("temperature", float("nan")))
        self.assertTrue(e.set("temperature", 99))
        self.assertEqual(engine.live.live_get(e.l, engine.PARAMETERS["temperature"]), 2)
        self.assertFalse(engine.live.live_set(e.l, 999, engine.ctypes.c_double(1)))
        self.assertEqual(engine.live.live_size(e.session, 0), 0)


if __name__ == "__main__":
    unittest.main()
