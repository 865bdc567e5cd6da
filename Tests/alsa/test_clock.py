"""MIDI clock out of libretto-play and into it, by what arrives at another client."""
import json
import random
import signal
import time

from sequencer import SMALL, TICKS, SequencerTest, notes


class ClockOut(SequencerTest):
    def test_start_24_clocks_a_quarter_note_and_stop(self):
        expected = self.written(SMALL, "--bars", 4, "--seed", 5, "--time-signature", "4/4")
        probe = self.probe()
        self.finish(self.start("play", "-p", "probe:in", "--clock", "out", "--bars", 4, "--time-signature", "4/4", "--seed", 5, SMALL))
        self.assertSilent(probe)
        sync = [e for e in probe.events if e.kind in ("start", "clock", "stop", "continue")]
        self.assertEqual([e.kind for e in sync], ["start"] + ["clock"] * (4 * 4 * 24) + ["stop"])
        clocks = [e.ns for e in sync[1:-1]]
        self.assertLess(clocks[0] - sync[0].ns, 5e6)
        self.assertAlmostEqual((clocks[-1] - clocks[0]) / (len(clocks) - 1) * 24 / 500e6, 1, delta=0.01)
        # The notes are in phase with it.
        for start, _, pitch, _ in [(s, d, p, v) for s, d, _, p, v in expected]:
            clock = clocks[start * 24 // TICKS]
            self.assertTrue([n for n in notes(probe.events) if n[2] == pitch and abs(n[0] - clock) < 8e6], (start, pitch))

    def test_pause_and_continue(self):
        probe = self.probe()
        play = self.start("play", "-p", "probe:in", "--clock", "out", SMALL)
        probe.await_events(lambda events: sum(e.kind == "clock" for e in events) > 30)
        self.press(play, " ")
        probe.await_events(lambda events: any(e.kind == "stop" for e in events))
        self.assertSilent(probe)
        before = probe.count("clock")
        self.press(play, " ")
        probe.await_events(lambda events: sum(e.kind == "clock" for e in events) > before + 60)
        sync = [e for e in probe.events if e.kind in ("songpos", "continue", "stop", "clock")]
        self.assertEqual([e.kind for e in sync if e.kind != "clock"], ["stop", "songpos", "continue"])
        # It goes on at the next sixteenth, and with a clock, as often as it is paused.
        self.assertEqual([e.kind for e in sync[before:before + 4]], ["stop", "songpos", "continue", "clock"])
        self.assertIn(sync[before + 1].b * 6 - before, range(0, 6))
        self.assertLess(sync[before + 3].ns - sync[before + 2].ns, 5e6)
        ons = [e.ns for e in probe.events if e.kind == "on" and e.ns > sync[before + 3].ns]
        clocks = [e.ns for e in sync[before + 3:] if e.kind == "clock"]
        self.assertTrue(ons)
        for on in ons[:5]:  # the clocks after it are in phase with the notes
            self.assertLess(min(abs(on - clock) for clock in clocks), 8e6)
        play.send_signal(signal.SIGTERM)
        self.finish(play)
        self.assertSilent(probe)
        self.assertEqual([e.kind for e in probe.events if e.kind in ("stop", "clock")][-1], "stop")


    def test_after_a_stall_it_is_where_it_would_be(self):
        """What should have come meanwhile is left out: notes, and clocks, in whose place a song position comes."""
        probe = self.probe()
        play = self.start("play", "-p", "probe:in", "--clock", "out", "--stats", SMALL)
        probe.await_events(lambda events: sum(e.kind == "clock" for e in events) > 30)
        play.send_signal(signal.SIGSTOP)
        time.sleep(3)
        before, woken = len(probe.events), probe.now()
        play.send_signal(signal.SIGCONT)
        probe.await_events(lambda events: sum(e.kind == "clock" for e in events[before:]) > 60)
        play.send_signal(signal.SIGTERM)
        out, _ = self.finish(play)
        self.assertSilent(probe)
        soon = [e for e in probe.events[before:] if e.ns < woken + 100e6]
        self.assertLess(sum(e.kind == "on" for e in soon), 8, soon)
        self.assertLess(sum(e.kind == "clock" for e in soon), 12, soon)
        sync = [e for e in probe.events if e.kind in ("start", "clock", "stop", "continue", "songpos")]
        change = [e.kind for e in sync].index("stop")
        self.assertEqual([e.kind for e in sync[change:change + 4]], ["stop", "songpos", "continue", "clock"])
        # The first clock after it is the one of this time, and the notes keep to it.
        clocks = [e.ns for e in sync if e.kind == "clock"]
        self.assertAlmostEqual((sync[change + 3].ns - clocks[0]) * 24 / 500e6, sync[change + 1].b * 6, delta=0.3)
        for on in [e.ns for e in probe.events[before:] if e.kind == "on" and e.ns > sync[change + 3].ns]:
            self.assertLess(min(abs(on - clock) for clock in clocks), 8e6)
        self.assertGreater(json.loads(out)["left_out"], 0)


class ClockIn(SequencerTest):
    def follow(self, *options, model=(SMALL,)):
        """A player that waits for the probe's clock, and the notes it should play."""
        self.expected = self.written(SMALL, "--bars", 40, "--seed", 5, "--time-signature", "4/4")
        self.master = self.probe()
        play = self.start("play", "-p", "probe:in", "-i", "probe:out", "--clock", "in", "--bars", 40, "--time-signature", "4/4",
                          "--seed", 5, *options, *model)
        time.sleep(1.5)
        return play

    def clocks(self, first, *tempi, jitter=1e6):
        """Sends clocks, (quarters, tempo) after each other; when each was meant, and one more."""
        choice, meant, ns = random.Random(1), [], first
        for quarters, tempo in tempi:
            for _ in range(24 * quarters):
                meant.append(ns)
                ns += 60e9 / tempo / 24
        for clock in meant:
            self.master.tell(f"{int(clock + choice.uniform(-jitter, jitter))} clock")
        return meant + [ns]

    def errors(self, meant, events, position=0):
        """How far from the master's time each note began, in ns, by the quarter it is due in."""
        due = {}
        for start, _, _, pitch, _ in self.expected:
            clock = (start - position) * 24 / TICKS
            if 0 <= clock < len(meant):  # the last may come just before Stop
                k = min(int(clock), len(meant) - 2)
                due.setdefault(pitch, []).append((meant[k] + (meant[k + 1] - meant[k]) * (clock - k), clock / 24))
        errors = []
        for e in events:
            if e.kind != "on":
                continue
            self.assertIn(e.a, due, "a note that is not the piece's")
            time_due, quarter = min(due[e.a], key=lambda one: abs(one[0] - e.ns))
            errors.append((quarter, e.ns - time_due))
        return errors

    def test_a_tempo_step_is_followed_within_two_beats(self):
        play = self.follow()
        first = self.master.now() + 300_000_000
        self.master.tell(f"{first - 20_000_000} start")
        meant = self.clocks(first, (8, 100), (12, 140))
        self.master.tell(f"{int(meant[-1])} stop")
        self.master.await_events(lambda events: sum(e.kind == "on" for e in events) > 5)
        time.sleep((meant[-1] - self.master.now()) / 1e9 + 0.5)
        self.assertSilent(self.master)
        errors = self.errors(meant, self.master.events)
        self.assertLess(max(abs(error) for quarter, error in errors if 2 <= quarter < 8), 20e6, errors)
        settled = [(quarter, error) for quarter, error in errors if quarter >= 10]
        self.assertGreater(len(settled), 5)
        self.assertLess(max(abs(error) for _, error in settled), 20e6, errors)
        self.assertLess(min(abs(error) for quarter, error in errors), 5e6)
        self.finish_by_signal(play)

    def test_song_position_and_continue(self):
        play = self.follow()
        first = self.master.now() + 200_000_000
        self.master.tell(f"-1 songpos 0 0 {8 * 4}")
        self.master.tell(f"{first - 20_000_000} continue")
        meant = self.clocks(first, (8, 120))
        self.master.tell(f"{int(meant[-1])} stop")
        time.sleep(4.8)
        self.assertSilent(self.master)
        began = [e for e in self.master.events if e.kind == "on"]
        self.assertGreater(len(began), 4)
        wanted = {pitch for start, _, _, pitch, _ in self.expected if 8 * TICKS <= start < 8 * TICKS + TICKS}
        self.assertTrue({e.a for e in began if e.ns < meant[24]} <= wanted)
        errors = self.errors(meant, self.master.events, position=8 * TICKS)
        self.assertLess(max(abs(error) for quarter, error in errors if quarter >= 2), 20e6, errors)
        self.finish_by_signal(play)

    def test_a_lost_clock_is_missed_for_a_bar(self):
        play = self.follow()
        first = self.master.now() + 200_000_000
        self.master.tell(f"{first - 20_000_000} start")
        meant = self.clocks(first, (4, 120))
        bar = 2_000_000_000
        time.sleep((meant[-1] + 2 * bar - self.master.now()) / 1e9)
        self.assertSilent(self.master)
        last = max(e.ns for e in self.master.events if e.kind == "on")
        # What the music has up to three quarters after the last clock has come.
        due = max(start for start, *_ in self.expected if start <= 7 * TICKS)
        self.assertGreater(last, first + due / TICKS * bar / 4 - 30e6)
        self.assertLess(last, meant[-1] + bar * 1.2)
        _, error = self.finish_by_signal(play)
        self.assertIn("clock is lost", error)

    def test_the_phase_is_kept(self):
        """Over lost clocks, stops without a song position, a pause without Stop, and a fall of the tempo."""
        play = self.follow()
        ns, meant = self.master.now() + 200_000_000, []
        self.master.tell(f"{ns - 20_000_000} start")

        def send(count, tempo=120, lost=()):
            nonlocal ns
            for i in range(count):
                if i not in lost:
                    self.master.tell(f"{int(ns)} clock")
                meant.append(ns)
                ns += 60e9 / tempo / 24
        send(96, lost=(40, 60, 61))
        for _ in range(3):
            self.master.tell(f"{int(ns - 5e6)} stop")
            ns += 300_000_000
            self.master.tell(f"{int(ns - 5e6)} continue")
            send(48)
        ns += 500_000_000
        send(96)
        send(24, tempo=30)
        send(144)
        begin = meant[-96]
        self.master.tell(f"{int(ns)} stop")
        time.sleep((ns - self.master.now()) / 1e9 + 0.5)
        self.assertSilent(self.master)
        errors = self.errors(meant + [ns], [e for e in self.master.events if e.ns > begin])
        self.assertGreater(len(errors), 5)
        self.assertLess(max(abs(error) for _, error in errors), 15e6, errors)
        self.finish_by_signal(play)

    def test_another_piece_keeps_to_the_clock(self):
        """A switch begins a piece on a beat, and Stop and Continue go on with it."""
        play = self.follow(model=(SMALL, SMALL))
        first = self.master.now() + 200_000_000
        self.master.tell(f"{first - 20_000_000} start")
        meant = self.clocks(first, (12, 120))
        self.master.tell(f"{int(meant[-1] - 5e6)} stop")
        self.master.tell(f"{int(meant[-1] + 1e9)} continue")
        meant = meant[:-1] + self.clocks(int(meant[-1] + 1.1e9), (8, 120))
        time.sleep((meant[60] - self.master.now()) / 1e9)
        self.press(play, "m")
        time.sleep((meant[-1] - self.master.now()) / 1e9 + 0.1)
        events = [e for e in self.master.events if e.ns > meant[6 * 24] and e.kind == "on"]
        self.assertGreater(len(events), 8)
        # On one of the beats after the switch the piece has begun, and all that came is its own.
        worst = {}
        for beat in range(2, 6):
            due = {}
            for start, _, _, pitch, _ in self.expected:
                clock = beat * 24 + start * 24 // TICKS
                if clock < len(meant):
                    due.setdefault(pitch, []).append(meant[clock])
            worst[beat] = max(min((abs(ns - e.ns) for ns in due.get(e.a, [])), default=1e9) for e in events)
        self.assertLess(min(worst.values()), 20e6, worst)
        self.master.tell("-1 stop")
        self.assertSilent(self.master)
        self.finish_by_signal(play)

    def finish_by_signal(self, play):
        play.send_signal(signal.SIGTERM)
        done = self.finish(play)
        self.assertSilent(self.master)
        self.assertNothingLeft()
        return done
