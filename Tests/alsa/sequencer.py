"""What the tests on a sequencer share: a probe, programs under test, and the model's own output."""
import csv
import os
import pathlib
import queue
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STAGE = ROOT / os.environ["LIBRETTO_STAGE"]
MADE = ROOT / ".build/alsa"  # by Tests/alsa/run
TOOL = STAGE / "bin/libretto"
SMALL, OTHER, PARTS, TEXT = (str(MADE / f"{name}.safetensors") for name in ("small", "other", "parts", "text"))
TICKS = 480  # of a quarter note in the files that the tool writes


class Event:
    """Something that arrived at a probe, at `ns` by the probe's queue."""

    def __init__(self, line):
        ns, client, self.kind, channel, a, b = line.split()
        self.ns, self.client, self.channel, self.a, self.b = int(ns), int(client), int(channel), int(a), int(b)
        self.seen = time.monotonic()

    def __repr__(self):
        return f"{self.ns / 1e6:.1f} {self.kind} {self.channel} {self.a} {self.b}"


def sounding(events):
    """The notes that are left, (channel, pitch) to how many: what the note-ons and note-offs come to."""
    left = {}
    for e in events:
        note = (e.channel, e.a)
        if e.kind == "on":
            left[note] = left.get(note, 0) + 1
        elif e.kind == "off" and left.get(note):
            left[note] -= 1
    return {note: count for note, count in left.items() if count}


def notes(events):
    """(start ns, duration ns, pitch) of what was played, by start and then pitch."""
    begun, done = {}, []
    for e in events:
        if e.kind == "on":
            begun.setdefault((e.channel, e.a), []).append(e.ns)
        elif e.kind == "off" and begun.get((e.channel, e.a)):
            start = begun[e.channel, e.a].pop(0)
            done.append((start, e.ns - start, e.a))
    return done


class Probe:
    """A client that writes down what arrives, and sends."""

    def __init__(self, name="probe"):
        self.process = subprocess.Popen([MADE / "probe", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events, self.answers = [], queue.Queue()
        self.name = name
        threading.Thread(target=self.read, daemon=True).start()
        try:
            self.client = int(self.answers.get(timeout=20).split()[1])
        except queue.Empty:
            self.process.kill()
            raise

    def read(self):
        for line in self.process.stdout:
            if line[0].isdigit() or line[0] == "-":
                self.events.append(Event(line))
            else:
                self.answers.put(line)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def now(self):
        self.tell("now")
        return int(self.answers.get(timeout=20).split()[1])

    def await_events(self, is_there, seconds=20):
        """Waits until the events so far are what `is_there` wants."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if is_there(list(self.events)):
                return
            time.sleep(0.01)
        raise AssertionError(f"it did not come within {seconds} s; there came {self.events[-20:]}")

    def count(self, kind):
        return sum(e.kind == kind for e in list(self.events))

    def await_quiet(self, seconds=0.6):
        """Waits until nothing has come for a while."""
        while self.events and time.monotonic() - self.events[-1].seen < seconds:
            time.sleep(0.05)

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


class SequencerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.started = 0

    def probe(self, name="probe"):
        probe = Probe(name)
        self.addCleanup(lambda: probe.process.poll() is None and probe.close())
        return probe

    def start(self, program, *arguments, stage=STAGE, **more):
        """Starts libretto-PROGRAM, whose keyboard is a pipe."""
        process = subprocess.Popen([stage / f"bin/libretto-{program}", *map(str, arguments)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)

        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.addCleanup(end)
        return process

    def press(self, process, keys):
        process.stdin.write(keys)
        process.stdin.flush()

    def finish(self, process, seconds=60):
        """Waits for the end of a program that ends by itself; what it said."""
        out, error = process.communicate(timeout=seconds)
        self.assertEqual(process.returncode, 0, error)
        return out, error

    def assertSilent(self, probe):
        probe.await_quiet()
        self.assertEqual(sounding(probe.events), {}, probe.events[-30:])

    def assertNothingLeft(self, name="Libretto"):
        """No client and no queue of a program that has ended."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            clients = pathlib.Path("/proc/asound/seq/clients").read_text()
            if f'"{name}"' not in clients and '"guardian"' not in clients:
                break
            time.sleep(0.05)
        self.assertNotIn(f'"{name}"', clients)
        self.assertNotIn('"guardian"', clients)

    def written(self, model, *arguments):
        """What `libretto sample` writes: (start tick, duration ticks, channel, pitch, velocity)."""
        file = self.path / "sample.mid"
        subprocess.run([TOOL, "sample", model, "-o", file, *map(str, arguments)], check=True, capture_output=True)
        rows = subprocess.run([TOOL, "midi", "notes", file], check=True, capture_output=True, text=True).stdout
        return [tuple(map(int, row)) for row in list(csv.reader(rows.splitlines()))[1:]]


def queues():
    """How many queues there are."""
    return pathlib.Path("/proc/asound/seq/queues").read_text().count("queue ")
