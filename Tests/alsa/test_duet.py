"""libretto-duet, by what it answers to a player."""
import json
import re
import signal
import time

from sequencer import SMALL, SequencerTest, sounding

QUARTER = 500_000_000  # at 120
TUNE = [60, 62, 64, 65, 67, 65, 64, 62]


class Duet(SequencerTest):
    def duet(self, *options):
        self.player = self.probe("player")
        duet = self.start("duet", "-p", "player:in", "-i", "player:out", "--seed", 4, "--stats", *options, SMALL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:  # until it listens
            with open("/proc/asound/seq/clients") as clients:
                if f"Connected From: {self.player.client}:1" in clients.read():
                    break
            time.sleep(0.05)
        return duet

    def play(self, pitches, length=QUARTER // 2, after=200_000_000):
        """Plays notes after each other; when the first begins and the last ends."""
        start = self.player.now() + after
        for i, pitch in enumerate(pitches):
            self.player.tell(f"{start + i * length} on 0 {pitch} 80")
            self.player.tell(f"{start + (i + 1) * length - 20_000_000} off 0 {pitch} 0")
        return start, start + len(pitches) * length - 20_000_000

    def answers(self):
        return [e for e in list(self.player.events) if e.kind == "on"]

    def end(self, duet, late=0):
        duet.send_signal(signal.SIGTERM)
        out, _ = self.finish(duet)
        self.assertSilent(self.player)
        self.assertNothingLeft()
        stats = json.loads(out)
        self.assertLessEqual(stats["late"], late, stats)

    def test_an_answer_begins_on_the_player_s_beat(self):
        """On the first or second beat after the pause, at any tempo."""
        for tempo in (90, 150):
            quarter = 60e9 / tempo
            duet = self.duet()
            for _ in range(2):
                before = len(self.answers())
                start, last = self.play(TUNE * 2, length=int(quarter / 2))
                self.player.await_events(lambda events: sum(e.kind == "on" for e in events) > before + 1)
                begun = self.answers()[before].ns
                beat = round((begun - start) / quarter)
                self.assertAlmostEqual((begun - start) / 1e6, beat * quarter / 1e6, delta=20)
                self.assertGreater(begun, last + 600e6 - 20e6)
                self.assertLess(begun, last + 600e6 + 2.2 * quarter)
                time.sleep(10 * quarter / 1e9)
                self.assertSilent(self.player)
            self.end(duet)
            self.player.close()

    def test_an_answer_begins_when_it_is_due(self):
        duet = self.duet("--no-follow-tempo")
        for _ in range(2):
            before = len(self.answers())
            _, last = self.play(TUNE)
            self.player.await_events(lambda events: sum(e.kind == "on" for e in events) > before + 1)
            self.assertAlmostEqual((self.answers()[before].ns - last) / 1e6, 600, delta=50)
            time.sleep(2.5)  # as long as the call
            self.assertSilent(self.player)
            self.assertLess(self.answers()[-1].ns, last + 600e6 + 2.1e9)
        self.end(duet)

    def test_the_pause_can_be_chosen_and_a_new_call_ends_the_answer(self):
        duet = self.duet("--answer-after", 300, "--no-follow-tempo")
        _, last = self.play(TUNE)
        self.player.await_events(lambda events: sounding(events))
        self.assertAlmostEqual((self.answers()[0].ns - last) / 1e6, 300, delta=50)
        start, last = self.play([72], length=QUARTER, after=50_000_000)
        time.sleep(0.3)
        self.assertEqual([e for e in self.answers() if start + 20e6 < e.ns < last + 300e6], [])
        self.assertEqual(sounding(self.player.events), {})
        self.player.await_events(lambda events: any(e.kind == "on" and e.ns > last for e in events))
        duet.send_signal(signal.SIGKILL)
        duet.wait()
        self.assertSilent(self.player)

    def await_answer(self, before, seconds=20):
        """Waits until more has been begun than `before` notes."""
        self.player.await_events(lambda events: sum(e.kind == "on" for e in events) > before, seconds)

    def test_what_the_player_holds_is_left_to_him(self):
        """In an answer, when it is interrupted and when the model plays along: the model plays on another channel, and
        nothing there but its notes; on the player's own it ends its own notes alone."""
        for options in ([], ["--accompany"], ["--channel", 1]):
            duet = self.duet(*options)
            _, last = self.play(TUNE)
            self.player.await_events(lambda events: sounding(events))
            self.player.tell("-1 on 0 84 80")  # above all the model plays
            time.sleep(1)
            heard = list(self.player.events)
            self.assertEqual({e.kind for e in heard}, {"on", "off"})
            channel = 0 if "--channel" in options else 1
            self.assertEqual({e.channel for e in heard}, {channel})
            begun = {e.a for e in heard if e.kind == "on"}
            self.assertLessEqual({e.a for e in heard if e.kind == "off"}, begun)
            self.player.tell("-1 off 0 84 0")
            self.end(duet)
            self.assertEqual([(e.a, e.b) for e in self.player.events if e.kind == "cc"], [(64, 0), (123, 0)])
            self.player.close()

    def test_a_key_that_is_never_let_go(self):
        """Whatever says that it is held no more counts as letting go: all notes off, a reset, the end of its port."""
        keys, others = self.probe("keys"), self.probe("others")
        duet = self.duet("-i", "player:out,keys:out,others:out")
        for message in ("cc 0 120 0", "cc 0 123 0", "cc 0 127 0", "reset"):
            before = len(self.answers())
            keys.tell("-1 on 0 62 80")
            time.sleep(0.3)
            keys.tell(f"-1 {message}")
            self.await_answer(before)
            time.sleep(1.5)
        for probe, leave in ((keys, lambda: keys.tell("drop Libretto:1")), (others, others.close)):
            before = len(self.answers())
            probe.tell("-1 on 0 62 80")
            time.sleep(0.3)
            leave()
            self.await_answer(before)
            time.sleep(1.5)
        self.end(duet)

    def test_a_key_that_another_holds(self):
        """The end of one port is not that of another."""
        keys = self.probe("keys")
        duet = self.duet("-i", "player:out,keys:out")
        keys.tell("-1 on 0 62 80")
        self.player.tell("-1 on 0 65 80")
        time.sleep(0.3)
        keys.close()
        time.sleep(1.5)
        self.assertEqual(self.answers(), [])
        self.player.tell("-1 off 0 65 0")
        self.await_answer(0)
        self.end(duet)

    def test_forgetting_what_is_held(self):
        duet = self.duet()
        self.player.tell("-1 on 0 40 80")  # no note of the tune
        time.sleep(0.3)
        self.press(duet, "n")
        time.sleep(0.3)
        self.play(TUNE)
        self.await_answer(0)
        self.end(duet)

    def trade(self, late=None):
        """The bars since the player's first note in which notes of the model begin, counted from 0, and where they begin
        in quarters: until a turn is heard that comes after the first, or as soon as a process may that sleeps until
        `late`. What a small model plays in a turn may be a rest."""
        duet = self.duet("--trade", 1, "--density", 1)
        start, _ = self.play(TUNE)
        bar = 4 * QUARTER
        if late:
            time.sleep((start + bar - 400e6 - self.player.now()) / 1e9)
            duet.send_signal(signal.SIGSTOP)
            time.sleep((start + bar + late - self.player.now()) / 1e9)
            duet.send_signal(signal.SIGCONT)
        self.player.await_events(lambda events: any(e.kind == "on" and e.ns > start + 2 * bar for e in events), 30)
        time.sleep(0.5)
        self.end(duet, late=10 if late else 0)
        begun = [(e.ns - start) / QUARTER for e in self.answers()]
        return {int((quarter + 0.05) // 4) for quarter in begun}, begun

    def test_trading_bars(self):
        bars, begun = self.trade()
        self.assertGreater(len(begun), 1)
        self.assertEqual({bar % 2 for bar in bars}, {1}, begun)
        for quarter in begun:
            self.assertAlmostEqual(quarter * 4, round(quarter * 4), delta=0.3)

    def test_who_wakes_late_trades_the_same_bars(self):
        bars, begun = self.trade(late=40e6)
        self.assertEqual({bar % 2 for bar in bars}, {1}, begun)

    def test_who_wakes_far_too_late_leaves_a_turn_out(self):
        bars, begun = self.trade(late=300e6)
        self.assertNotIn(1, bars)
        self.assertEqual({bar % 2 for bar in bars}, {1}, begun)

    def test_by_the_clock_of_another(self):
        """While it runs, an answer begins on its beat, whatever the player's is."""
        duet = self.duet("--clock", "in")
        quarter = 60e9 / 100
        first = self.player.now() + 300_000_000
        self.player.tell(f"{first - 20_000_000} start")
        for i in range(24 * 40):
            self.player.tell(f"{int(first + i * quarter / 24)} clock")
        time.sleep((first - self.player.now()) / 1e9 + 2)
        _, last = self.play(TUNE)
        self.await_answer(0)
        beats = (self.answers()[0].ns - first) / quarter
        self.assertAlmostEqual(beats * quarter / 1e6, round(beats) * quarter / 1e6, delta=20)
        self.assertLess(self.answers()[0].ns, last + 600e6 + 2.2 * quarter)
        time.sleep(1)
        self.player.tell("-1 stop")
        self.end(duet, late=4)

    def test_it_leads_by_clock(self):
        duet = self.duet("--clock", "out", "--tempo", 100)
        quarter = 60e9 / 100
        self.player.await_events(lambda events: sum(e.kind == "clock" for e in events) > 48)
        clocks = [e.ns for e in list(self.player.events) if e.kind == "clock"]
        self.assertEqual(self.player.events[0].kind, "start")
        self.assertAlmostEqual((clocks[48] - clocks[0]) / quarter, 2, delta=0.02)
        self.play(TUNE)
        self.await_answer(0)
        beats = (self.answers()[0].ns - clocks[0]) / quarter
        self.assertAlmostEqual(beats * quarter / 1e6, round(beats) * quarter / 1e6, delta=20)
        duet.send_signal(signal.SIGTERM)
        self.finish(duet)
        self.assertSilent(self.player)
        self.assertEqual([e.kind for e in self.player.events if e.kind in ("clock", "stop")][-1], "stop")

    def test_the_pedal_and_the_drums_of_the_player(self):
        """A note the pedal holds is not over; strokes on channel 10 call for an answer too."""
        duet = self.duet("--no-follow-tempo")
        self.player.tell("-1 cc 0 64 127")
        self.player.tell("-1 on 0 62 80")
        time.sleep(0.2)
        self.player.tell("-1 off 0 62 0")
        time.sleep(0.4)
        pedal = self.player.now()
        self.player.tell("-1 cc 0 64 0")
        self.await_answer(0)
        self.assertGreater(self.answers()[0].ns, pedal + 550e6)
        time.sleep(1.5)
        self.end(duet)

    def test_accompanying(self):
        duet = self.duet("--accompany", "--density", "1")
        start, last = self.play(TUNE * 2)
        time.sleep((last - self.player.now()) / 1e9 + 0.2)
        begun = [e.ns for e in self.answers() if start < e.ns < last]
        self.assertGreater(len(begun), 3, "nothing came while the player played")
        self.end(duet)

    def test_it_learns_from_the_player(self):
        duet = self.duet("--learn")
        for _ in range(3):
            before = len(self.answers())
            self.play(TUNE)
            self.await_answer(before)
            time.sleep(2.5)
        duet.send_signal(signal.SIGTERM)
        out, error = self.finish(duet)
        self.assertSilent(self.player)
        self.assertNothingLeft()
        self.assertEqual(json.loads(out)["late"], 0)
        said = re.search(r"learned from (\d+) tokens", error)
        self.assertGreater(int(said.group(1)), 30)

    def test_the_player_steers_it(self):
        """What is played decides about the answer: two calls, two answers; the same call, the same one."""
        heard = []
        for tune in (TUNE, TUNE, [p + 6 for p in TUNE]):
            duet = self.duet()
            self.play(tune)
            self.player.await_events(lambda events: sum(e.kind == "on" for e in events) > 7)
            self.end(duet)
            self.player.close()
            heard.append([e.a for e in self.answers()][:8])
        self.assertEqual(heard[0], heard[1])
        self.assertNotEqual(heard[0], heard[2])
