"""An instance of the live engine that is saved goes on in another as it does itself."""
import random
import unittest

from engine import ACCOMPANY, ANSWER, PLAY, PPQ, TRADE
from test_engine import TUNE, Case, melody, run

BAR = 4 * PPQ


def play(e, until, block, events=(), start=0.0, ahead=0):
    """Like run, with a look-ahead."""
    now, events = start, list(events)
    while now < until:
        while events and events[0][0] < now + block:
            tick, message = events.pop(0)
            e.hear(tick, *message)
        e.advance(now, now + block + ahead)
        now += block
    return now


def after(e, tick):
    """What is begun from a tick on, and the ends of that."""
    kept, open_ = [], set()
    for event in e.events:
        at, channel, pitch, velocity = event
        if at < tick:
            continue
        if velocity:
            open_.add((channel, pitch))
        elif (channel, pitch) not in open_:
            continue
        else:
            open_.remove((channel, pitch))
        kept.append(event)
    return kept


class Save(Case):
    def goes_on(self, events, until, at, name="folk", block=100, mode=PLAY, transport=False, ahead=0,
                **settings):
        e, other = self.engine(name, mode, **settings), self.engine(name, kept=settings.get("kept", 16))
        if transport:
            e.transport(0.0, position=0)
        now = play(e, at, block, [x for x in events if x[0] < at], ahead=ahead)
        saved = e.save(at)
        self.assertEqual(saved, e.save(at))
        self.assertTrue(other.restore(saved))
        if not ahead:
            self.assertEqual(other.save(at), saved)
        other.events = [x for x in e.events if x[0] >= at]
        rest = [x for x in events if x[0] >= at]
        for each in (e, other):
            now = play(each, until, block, rest, start=now if each is e else at, ahead=ahead)
        self.assertEqual(after(other, at), after(e, at), (name, at, mode, transport))
        self.assertEqual(other.state.key, e.state.key)
        self.assertEqual(other.state.bar, e.state.bar)
        for each in (e, other):
            each.silence(now)
            self.assertEqual(each.state.status, 0)
        return len(after(e, at))

    def test_a_piece(self):
        for name in ("tunes", "folk", "chorale", "drums", "pop"):
            for at in (0, 100, 2.3 * BAR, 5 * BAR, 7.9 * BAR):
                count = self.goes_on([], 12 * BAR, at - at % 100, name, density=1 if name == "drums" else 0,
                                     ahead=(0, 40, 2000)[int(at) % 3])
                self.assertGreater(count, 4, (name, at))

    def test_a_piece_of_a_song_that_goes_back(self):
        e, other = self.engine("folk", kept=4, numerator=4), self.engine("folk", kept=4)
        e.transport(0.0, position=0)
        now = run(e, 20.5 * BAR, 96)
        self.assertTrue(other.restore(e.save(now)))
        for each in (e, other):
            each.transport(now, position=9 * BAR)
            each.before = len(each.events)
            run(each, now + 3 * BAR, 96, start=now)
        self.assertEqual(after(e, now), after(other, now))
        self.assertGreater(len(after(e, now)), 8)

    def test_turns_at_any_moment(self):
        rng = random.Random(5)
        events = sorted([*melody(TUNE, 0, PPQ / 2), *melody(TUNE[:6], 9 * BAR, PPQ / 2),
                         *melody(TUNE[3:], 16 * BAR, PPQ / 3)])
        for mode in (ANSWER, TRADE, ACCOMPANY):
            count = 0
            for at in [0, *(rng.randrange(1, 250) * 100 for _ in range(12)), *(100 * n for n in range(59, 66))]:
                for transport in (False, True):
                    count += self.goes_on(events, 40 * BAR, at, "tunes", mode=mode, transport=transport, trade_bars=2)
            self.assertGreater(count, 400)

    def test_damaged_bytes_change_nothing(self):
        rng = random.Random(6)
        e, other = self.engine("folk"), self.engine("folk", seed=3)
        now, before = run(e, 5 * BAR, 100), run(other, 3 * BAR, 100)
        at = before
        saved, before = e.save(now), other.save(at)
        for _ in range(300):
            bad = bytearray(saved)
            for _ in range(rng.choice((1, 1, 5))):
                bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
            if bytes(bad) != saved:
                self.assertFalse(other.restore(bad))
        for length in (0, 1, 8, 31, 32, 100, len(saved) - 1):
            self.assertFalse(other.restore(saved[:length]))
            self.assertFalse(other.restore(rng.randbytes(length)))
        self.assertFalse(other.restore(saved + b"\0"))
        self.assertFalse(self.engine("tunes").restore(saved))
        self.assertEqual(other.save(at), before)

    def test_numbers_out_of_range_are_refused(self):
        """Bytes whose checksum is right were made on purpose; they do no harm either."""
        rng = random.Random(7)
        e = self.engine("folk", ANSWER)
        run(e, 3 * BAR, 100, melody(TUNE, 0, PPQ / 2))
        saved = e.save(3 * BAR)
        for i in range(400):
            bad = bytearray(saved)
            place = 32 + 8 * rng.randrange(min(len(bad) - 40, 2000 if i % 2 else 1 << 20) // 8)
            bad[place:place + 8] = rng.choice((b"\xff" * 8, rng.randbytes(8), (1 << rng.randrange(63)).to_bytes(8, "little")))
            check = 0xCBF29CE484222325
            for byte in bad[32:]:
                check = (check ^ byte) * 0x100000001B3 & (1 << 64) - 1
            bad[24:32] = check.to_bytes(8, "little")
            other = self.engine("folk")
            if other.restore(bad):
                run(other, 200 * 100, 100, melody(TUNE, 0, PPQ / 2))


if __name__ == "__main__":
    unittest.main()
