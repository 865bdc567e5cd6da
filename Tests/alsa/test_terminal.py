"""The live programs on a terminal: their keys and their status line."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from sequencer import SMALL, STAGE, SequencerTest


class Terminal(SequencerTest):
    def on_terminal(self, ours, theirs, *command):
        """Starts a command that has a terminal to itself, and what reads it until there is a text."""
        def take_terminal():
            os.setsid()
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=take_terminal)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        shown = ""

        def read_until(text):
            nonlocal shown
            end = time.monotonic() + 20
            while text not in shown:
                self.assertLess(time.monotonic(), end, shown[-300:])
                if select.select([ours], [], [], 0.1)[0]:
                    shown += os.read(ours, 4096).decode()
            shown = shown[shown.index(text) + len(text):]
        return process, read_until

    def test_in_the_background_the_keys_are_the_shell_s(self):
        probe = self.probe()
        ours, theirs = pty.openpty()
        shell, read_until = self.on_terminal(ours, theirs, "bash", "--norc", "--noprofile", "-i")
        self.addCleanup(shell.wait)
        self.addCleanup(shell.kill)
        os.write(ours, f"{STAGE}/bin/libretto-play -p probe:in --tempo 200 {SMALL} &\n".encode())
        probe.await_events(lambda events: len(events) > 8)
        # Text that nobody reads for a while, and then the shell does.
        os.write(ours, b"sleep 1\n")
        os.write(ours, b"echo q q$((1 + 1))\n")
        read_until("q q2")
        count = len(probe.events)
        probe.await_events(lambda events: len(events) > count + 8)
        os.write(ours, b"fg\n")
        read_until("temperature 0.80")
        os.write(ours, b"T")
        read_until("temperature 0.85")
        os.write(ours, b"\x1a")
        read_until("Stopped")
        self.assertSilent(probe)
        count = len(probe.events)
        os.write(ours, b"bg\necho q q$((2 + 1))\n")
        read_until("q q3")
        probe.await_events(lambda events: len(events) > count + 8)
        os.write(ours, b"fg\n")
        read_until("temperature 0.85")
        os.write(ours, b"q")
        read_until("late; delivered")
        os.close(ours)
        os.close(theirs)
        self.assertSilent(probe)

    def test_keys_and_the_status_line_on_a_terminal(self):
        """The keys act unseen, the line shows what they did, and the terminal is left as it was."""
        probe = self.probe()
        ours, theirs = pty.openpty()
        before = termios.tcgetattr(theirs)
        play, read_until = self.on_terminal(ours, theirs, STAGE / "bin/libretto-play", "-p", "probe:in",
                                            "--tempo", "200", SMALL)
        read_until("temperature 0.80")
        self.assertFalse(termios.tcgetattr(theirs)[3] & termios.ECHO)
        os.write(ours, b"Tk")
        read_until("temperature 0.85")
        os.write(ours, b"K")
        read_until("key C")
        os.write(ours, b"\x03")  # the terminal makes a signal of it
        read_until("late; delivered")
        self.assertEqual(play.wait(20), 0)
        self.assertEqual(termios.tcgetattr(theirs), before)
        os.close(ours)
        os.close(theirs)
        self.assertSilent(probe)

    def test_the_line_is_as_wide_as_the_terminal(self):
        """What is longer is cut, and begins no line of its own."""
        probe = self.probe()
        ours, theirs = pty.openpty()

        def resize(columns):
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        for columns in (40, 20):
            resize(columns)
            play, read_until = self.on_terminal(ours, theirs, STAGE / "bin/libretto-play", "-p", "probe:in", "--cc",
                                                "temperature=learn,density=learn,tempo=learn", SMALL)
            read_until("bar 1")
            probe.await_events(lambda events: len(events) > 8)
            time.sleep(0.5)
            shown = os.read(ours, 65536).decode()
            os.write(ours, b"q")
            read_until("late; delivered")
            lines = [line for line in re.split(r"[\r\n]+(?:\x1b\[K)?", shown) if line]
            self.assertEqual(max(map(len, lines), default=0), columns - 1, lines)
            self.assertEqual(play.wait(20), 0)
            del probe.events[:]
        os.close(ours)
        os.close(theirs)

    def test_arrows_change_no_setting(self):
        """Their last bytes are letters that keys have: A to D, and P to S with other keys held."""
        probe = self.probe()
        ours, theirs = pty.openpty()
        play, read_until = self.on_terminal(ours, theirs, STAGE / "bin/libretto-play", "-p", "probe:in",
                                            "--tempo", "200", SMALL)
        read_until("200.0 bpm")
        for sequence in (b"[A", b"[B", b"[C", b"[D", b"OA", b"OB", b"OC", b"OD", b"[1;5B", b"[1;2D", b"[3~", b"[[B", b"OR"):
            os.write(ours, b"\x1b" + sequence)
        os.write(ours, b"T")
        read_until("200.0 bpm  temperature 0.85  density +0.0  key any  memory 1.00")
        os.write(ours, b"q")
        read_until("late; delivered")
        self.assertEqual(play.wait(20), 0)
        os.close(ours)
        os.close(theirs)

    def test_the_duet_shows_what_it_hears(self):
        """The player's key, and the tempo by which the model plays."""
        player = self.probe("player")
        ours, theirs = pty.openpty()
        duet, read_until = self.on_terminal(ours, theirs, STAGE / "bin/libretto-duet", "-p", "player:in", "-i",
                                            "player:out", SMALL)
        read_until("you: no key yet")
        start, quarter = player.now() + 200_000_000, int(60e9 / 90)
        for i, pitch in enumerate([62, 66, 69, 67, 66, 64, 61, 62, 69, 66, 62, 62]):
            player.tell(f"{start + i * quarter} on 0 {pitch} 80")
            player.tell(f"{start + (i + 1) * quarter - 50_000_000} off 0 {pitch} 0")
        read_until("you: D, ")
        read_until("|>")
        shown = os.read(ours, 65536).decode()
        while "bpm" not in shown:
            shown += os.read(ours, 65536).decode()
        self.assertAlmostEqual(float(re.search(r"([\d.]+) bpm", shown)[1]), 90, delta=1)
        duet.send_signal(signal.SIGTERM)
        read_until("late; delivered")
        os.close(ours)
        os.close(theirs)
