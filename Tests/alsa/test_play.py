"""libretto-play, by what arrives at another client."""
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import time

from sequencer import OTHER, PARTS, SMALL, STAGE, TICKS, SequencerTest, notes, queues, sounding

MAJOR = {0, 2, 4, 5, 7, 9, 11}


class Music(SequencerTest):
    def test_what_arrives_is_what_the_model_writes(self):
        expected = self.written(SMALL, "--bars", 4, "--seed", 5)
        probe = self.probe()
        out, _ = self.finish(self.start("play", "-p", "probe:in", "--bars", 4, "--seed", 5, "--tempo", 150, "--program", 7,
                                        "--stats", SMALL))
        self.assertSilent(probe)
        step = 60e9 / 150 / 4
        start = next(e.ns for e in probe.events if e.kind == "on")
        arrived = [(round((ns - start) / step), round(length / step), pitch) for ns, length, pitch in notes(probe.events)]
        first = expected[0][0]
        wanted = [((s - first) * 4 // TICKS, d * 4 // TICKS, pitch) for s, d, _, pitch, _ in expected]
        self.assertEqual(sorted(arrived), sorted(wanted))
        # In order: note-offs before note-ons where both come at a time.
        order = [(round((e.ns - start) / step), e.kind == "on") for e in probe.events if e.kind in ("on", "off")]
        self.assertEqual(order, sorted(order))
        self.assertEqual([e.b for e in probe.events if e.kind == "on"], [v for *_, v in sorted(expected, key=lambda n: (n[0], n[3]))])
        # To the millisecond, but for what the emulation holds up.
        errors = sorted(abs((ns - start) / step - round((ns - start) / step)) * step for ns, _, _ in notes(probe.events))
        self.assertLess(errors[len(errors) // 2], 2e6)
        self.assertEqual([(e.kind, e.b) for e in probe.events[:1]], [("program", 7)])
        stats = json.loads(out)
        self.assertEqual(stats["events"], 2 * len(expected))
        self.assertEqual(stats["lost"], 0)
        self.assertNothingLeft()

    def test_without_bars_it_goes_on_and_a_channel_holds(self):
        probe = self.probe()
        play = self.start("play", "-p", probe.client, "--tempo", 300, "--channel", 4, SMALL)
        probe.await_events(lambda events: sum(e.kind == "on" for e in events) > 60)
        play.send_signal(signal.SIGINT)
        self.finish(play)
        self.assertSilent(probe)
        self.assertEqual({e.channel for e in probe.events}, {3})


    def test_parts_have_channels_and_programs(self):
        probe = self.probe()
        self.finish(self.start("play", "-p", "probe:in", "--parts", "73,0,drums", "--bars", 4, "--seed", 2, "--tempo", 240, PARTS))
        self.assertSilent(probe)
        self.assertEqual([(e.channel, e.b) for e in probe.events if e.kind == "program"][:2], [(0, 73), (1, 0)])
        heard = {e.channel for e in probe.events if e.kind == "on"}
        self.assertTrue(heard and heard <= {0, 1, 9}, heard)


class Ends(SequencerTest):
    """Nothing is left sounding, however it ends."""

    def play_until_it_sounds(self, *arguments, model=(SMALL,), name="Libretto", **more):
        self.before = queues()
        self.receiver = self.probe()
        play = self.start("play", "-p", "probe:in", "--seed", 3, "--name", name, *arguments, *model, **more)
        self.receiver.await_events(lambda events: sounding(events) and len(events) > 12)
        return play

    def end_by(self, number):
        play = self.play_until_it_sounds()
        play.send_signal(number)
        play.wait(20)
        self.assertSilent(self.receiver)
        self.assertNothingLeft()
        self.receiver.close()
        self.assertEqual(queues(), self.before)
        return play

    def test_interrupt(self):
        self.assertEqual(self.end_by(signal.SIGINT).returncode, 0)
        # Ended at each channel that was used: sustain, then all notes off.
        self.assertEqual([(e.a, e.b) for e in self.receiver.events if e.kind == "cc"], [(64, 0), (123, 0)])

    def test_terminate(self):
        self.assertEqual(self.end_by(signal.SIGTERM).returncode, 0)
        self.assertEqual(self.end_by(signal.SIGHUP).returncode, 0)

    def test_kill(self):
        for _ in range(3):
            self.assertEqual(self.end_by(signal.SIGKILL).returncode, -signal.SIGKILL)
        # Somebody else has seen to it: what was queued is gone with the one that played.
        self.assertEqual([(e.a, e.b) for e in self.receiver.events if e.kind == "cc"], [(64, 0), (123, 0)])

    def killed(self, kill, **more):
        """Nothing is left by a play that others end with all they know of."""
        play = self.play_until_it_sounds(**more)
        kill(play)
        self.assertEqual(play.wait(20), -signal.SIGKILL)
        self.assertSilent(self.receiver)
        self.assertNothingLeft()
        self.receiver.close()

    def test_kill_by_name(self):
        """As pkill -f and pkill do: whatever has the name in its arguments, or as its own."""
        def kill(_):
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                try:
                    words = (process / "cmdline").read_bytes() + (process / "comm").read_bytes()
                except OSError:
                    continue
                if b"libretto" in words and str(os.getpid()) != process.name:
                    os.kill(int(process.name), signal.SIGKILL)
        self.killed(kill)

    def test_kill_of_the_group_and_of_the_children(self):
        self.killed(lambda play: os.killpg(play.pid, signal.SIGKILL), start_new_session=True)

        def kill(play):
            children = pathlib.Path(f"/proc/{play.pid}/task/{play.pid}/children").read_text().split()
            for process in [*map(int, children), play.pid]:
                os.kill(process, signal.SIGKILL)
        self.killed(kill)

    def test_an_installation_over_it(self):
        """Each file renamed to its place, as make install does it."""
        prefix = self.path / "prefix"

        def install():
            for name in ("bin/libretto-play", *(f"lib/{library.name}" for library in (STAGE / "lib").glob("libretto.so.*"))):
                (prefix / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(STAGE / name, prefix / "new")
                os.replace(prefix / "new", prefix / name)
        install()
        play = self.play_until_it_sounds("--tempo", 240, stage=prefix)
        install()
        heard = len(self.receiver.events)
        self.receiver.await_events(lambda events: sounding(events) and len(events) > heard + 16)
        play.send_signal(signal.SIGKILL)
        play.wait(20)
        self.assertSilent(self.receiver)
        self.assertNothingLeft()

    def test_crash(self):
        self.assertEqual(self.end_by(signal.SIGSEGV).returncode, -signal.SIGSEGV)

    def test_key(self):
        play = self.play_until_it_sounds()
        self.press(play, "q")
        self.finish(play)
        self.assertSilent(self.receiver)

    def test_pause_and_stop_of_the_process(self):
        play = self.play_until_it_sounds()
        self.press(play, " ")
        self.assertSilent(self.receiver)
        heard = len(self.receiver.events)
        self.press(play, " ")
        self.receiver.await_events(lambda events: sounding(events) and len(events) > heard + 8)
        play.send_signal(signal.SIGTSTP)
        self.assertSilent(self.receiver)
        heard = len(self.receiver.events)
        play.send_signal(signal.SIGCONT)
        self.receiver.await_events(lambda events: len(events) > heard + 8)
        play.send_signal(signal.SIGTERM)
        self.finish(play)
        self.assertSilent(self.receiver)

    def test_switches(self):
        """A note that sounds at a switch ends, though another may begin."""
        play = self.play_until_it_sounds(model=(SMALL, OTHER))
        for keys in ("m", "B", "bbbb", "K", "m"):
            held = sounding(self.receiver.events)
            switch = len(self.receiver.events)
            self.press(play, keys)
            self.receiver.await_events(lambda events: len(events) > switch + 10)
            ended = {(e.channel, e.a) for e in self.receiver.events[switch:] if e.kind == "off"}
            self.assertLessEqual(set(held), ended)
        play.send_signal(signal.SIGTERM)
        self.finish(play)
        self.assertSilent(self.receiver)

    def test_port_change(self):
        play = self.play_until_it_sounds()
        second = self.probe("second")
        while not second.events:  # the next port; on a machine with hardware there may be some between
            self.press(play, "o")
            time.sleep(0.7)
        self.assertSilent(self.receiver)
        second.await_events(lambda events: sounding(events) and len(events) > 8)
        # Disconnected by somebody else.
        second.tell("leave Libretto:0")
        self.assertSilent(second)
        play.send_signal(signal.SIGTERM)
        self.finish(play)

    def test_raw_midi(self):
        """A raw MIDI port, as hardware has: closed when its subscriber dies."""
        device = pathlib.Path("/dev/snd/midiC0D0")
        clients = pathlib.Path("/proc/asound/seq/clients").read_text()
        if "VirMIDI 0-0" not in clients or not device.exists():
            self.skipTest("there is no virtual raw MIDI card")
        for number in (signal.SIGTERM, signal.SIGKILL):
            descriptor = os.open(device, os.O_RDONLY | os.O_NONBLOCK)
            play = self.start("play", "-p", "Virtual Raw MIDI 0-0:VirMIDI 0-0", "--seed", 3, SMALL)
            data = bytearray()

            def listen(seconds, enough):
                end = time.monotonic() + seconds
                while time.monotonic() < end and not enough(data):
                    if select.select([descriptor], [], [], 0.05)[0]:
                        data.extend(os.read(descriptor, 4096))

            listen(20, lambda data: len(raw_notes(data)) > 1 and len(data) > 40)
            self.assertTrue(raw_notes(data))
            play.send_signal(number)
            play.wait(20)
            listen(1, lambda data: False)
            os.close(descriptor)
            self.assertEqual(raw_notes(data), {})
            self.assertNothingLeft()


def raw_notes(data):
    """The notes left by MIDI bytes."""
    left, status, values = {}, 0, []
    for byte in data:
        if byte & 0x80:
            status, values = byte, []
            continue
        values.append(byte)
        if status & 0xF0 not in (0xC0, 0xD0) and len(values) < 2:
            continue
        if status & 0xE0 == 0x80:
            note = (status & 15, values[0])
            change = 1 if status & 0xF0 == 0x90 and values[1] else -1
            left[note] = max(0, left.get(note, 0) + change)
        values = []
    return {note: count for note, count in left.items() if count}


class Ports(SequencerTest):
    def test_a_port_that_goes_is_connected_when_it_is_back(self):
        first = self.probe("synth (11)")
        play = self.start("play", "-p", "synth:in", "--tempo", 200, SMALL)
        first.await_events(lambda events: len(events) > 8)
        first.close()
        time.sleep(0.5)
        other = self.probe("other")  # takes the number, not the name
        again = self.probe("synth (12)")  # the number of a process is not its name
        again.await_events(lambda events: len(events) > 8)
        self.assertEqual(other.events, [])
        play.send_signal(signal.SIGTERM)
        _, error = self.finish(play)
        self.assertSilent(again)
        self.assertIn("synth (11):in is gone", error)
        self.assertIn("is back", error)

    def test_of_two_with_the_name_none_is_taken(self):
        first = self.probe("synth")
        play = self.start("play", "-p", "synth:in", "--tempo", 200, SMALL)
        first.await_events(lambda events: len(events) > 8)
        play.send_signal(signal.SIGSTOP)
        first.close()
        twins = [self.probe("synth"), self.probe("synth")]
        play.send_signal(signal.SIGCONT)
        time.sleep(1)
        self.assertEqual([twin.events for twin in twins], [[], []])
        play.send_signal(signal.SIGTERM)
        _, error = self.finish(play)
        self.assertIn("2 ports are named synth:in", error)

    def test_a_name_that_two_have_is_refused(self):
        """Whatever of it is given; the whole name of one is no other's beginning."""
        twins = [self.probe("twin (1)"), self.probe("twin (2)"), self.probe("twin peaks")]
        for name in ("twin", "twin:0", "twin:in", "twi"):
            play = self.start("play", "-p", name, "--bars", 1, SMALL)
            _, error = play.communicate(timeout=20)
            self.assertEqual(play.returncode, 1, error)
            self.assertRegex(error, f"[23] (clients|ports) are named \"{name}\"; say which by number")
        for name in ("twin p", "twin peaks:0", "twin peaks:in", f"{twins[2].client}", f"{twins[2].client}:0"):
            before = twins[2].count("on")
            self.finish(self.start("play", "-p", name, "--bars", 1, "--tempo", 300, "--seed", 5, SMALL))
            self.assertGreater(twins[2].count("on"), before, name)
        self.assertEqual([twin.events for twin in twins[:2]], [[], []])

    def test_an_input_that_somebody_disconnects_stays_so(self):
        probe, other = self.probe(), self.probe("other")
        play = self.start("play", "-p", "probe:in", "-i", "probe:out", SMALL)
        probe.await_events(lambda events: len(events) > 8)
        clients = pathlib.Path("/proc/asound/seq/clients")
        self.assertIn(f"Connected From: {probe.client}:1", clients.read_text())
        probe.tell("drop Libretto:1")
        time.sleep(0.3)
        other.close()
        time.sleep(0.5)
        self.assertNotIn(f"Connected From: {probe.client}:1", clients.read_text())
        play.send_signal(signal.SIGTERM)
        _, error = self.finish(play)
        self.assertNotIn("is gone", error)

    def test_list_variable_and_no_connection_unasked(self):
        probe = self.probe()
        listed = subprocess.run([STAGE / "bin/libretto-play", "-l"], capture_output=True, text=True, check=True).stdout
        self.assertIn(f"{probe.client}:0", listed)
        self.assertNotIn("Announce", listed)
        self.finish(self.start("play", "--bars", 1, "--tempo", 300, SMALL))
        self.assertEqual(probe.events, [])
        self.finish(self.start("play", "--bars", 1, "--tempo", 300, SMALL,
                               env={**os.environ, "ALSA_OUTPUT_PORTS": "probe:0"}))
        self.assertSilent(probe)
        self.assertGreater(probe.count("on"), 0)


class Controls(SequencerTest):
    def scale_after(self, probe, ns):
        """Pitch classes of the notes that began a bar after this, within two bars."""
        bar = 60e9 / 240 * 4
        return [e.a % 12 for e in list(probe.events) if e.kind == "on" and ns + bar < e.ns < ns + 3 * bar]

    def control(self, *options, keys="", number=1):
        """The notes before and after controller 1 asks for C major."""
        probe = self.probe()
        play = self.start("play", "-p", "probe:in", "-i", "probe:out", "--seed", 5, "--tempo", 240, "--temperature", 1.6,
                          *options, SMALL)
        probe.await_events(lambda events: sum(e.kind == "on" for e in events) > 24)
        before = {e.a % 12 for e in list(probe.events) if e.kind == "on"}
        self.press(play, keys)
        time.sleep(0.3)
        changed = probe.now()
        probe.tell(f"-1 cc 0 {number} 6")  # 6 * 25 / 128 is the first key
        probe.await_events(lambda events: events[-1].ns > changed + 3 * 1e9)
        play.send_signal(signal.SIGTERM)
        self.finish(play)
        self.assertSilent(probe)
        return before, self.scale_after(probe, changed)

    def test_a_controller_changes_the_key_within_a_bar(self):
        before, after = self.control("--cc", "temperature=7,key=1")
        self.assertFalse(before <= MAJOR, "the notes were in C major from the beginning")
        self.assertGreater(len(after), 3)
        self.assertLessEqual(set(after), MAJOR)

    def test_learning_from_the_keyboard(self):
        _, after = self.control(keys="lk", number=33)
        self.assertGreater(len(after), 3)
        self.assertLessEqual(set(after), MAJOR)

    def test_tempo_by_a_controller(self):
        probe = self.probe()
        play = self.start("play", "-p", "probe:in", "-i", "probe:out", "--clock", "out", "--cc", "tempo=learn", SMALL)
        probe.await_events(lambda events: sum(e.kind == "clock" for e in events) > 10)
        probe.tell("-1 cc 0 20 127")
        time.sleep(0.3)  # it is not where the tempo is, and changes nothing
        heard = probe.count("clock")
        probe.await_events(lambda events: sum(e.kind == "clock" for e in events) > heard + 50)
        clocks = [e.ns for e in list(probe.events) if e.kind == "clock"][-49:]
        self.assertAlmostEqual(60e9 * 2 / (clocks[-1] - clocks[0]), 120, delta=2)
        probe.tell("-1 cc 0 20 40")  # past it
        probe.tell("-1 cc 0 20 127")
        heard = probe.count("clock")
        probe.await_events(lambda events: sum(e.kind == "clock" for e in events) > heard + 70)
        clocks = [e.ns for e in list(probe.events) if e.kind == "clock"][-49:]
        self.assertAlmostEqual(60e9 * 2 / (clocks[-1] - clocks[0]), 300, delta=3)
        play.send_signal(signal.SIGTERM)
        self.finish(play)
