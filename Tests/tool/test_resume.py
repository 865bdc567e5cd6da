"""Runs that end in the middle and go on."""
import random
import signal
import subprocess
import time

from support import SMALL, TOOL, ToolTest, text


class Resume(ToolTest):
    options = ["--steps", 4000, "--dropout", 0.2, "--seed", 7, *SMALL]

    def train_whole(self):
        """The run nobody stops, and how long it took."""
        start = time.monotonic()
        self.run_tool("train", "corpus.txt", "-o", "whole.safetensors", *self.options)
        return time.monotonic() - start

    def test_killed_at_random_moments(self):
        whole = self.train_whole()
        # A machine that was busy meanwhile and is no more is done before it is killed.
        while (kills := self.train_torn(whole)) < 2 and whole > 0.01:
            whole /= 3
        self.assertGreater(kills, 1)

    def train_torn(self, whole):
        """A run that is killed now and then, which comes to the same end; how often it was killed."""
        model = self.path / "torn.safetensors"
        for path in self.path.glob("torn.*"):
            path.unlink()
        kills = 0
        choice = random.Random(time.time_ns())
        for attempt in range(200):
            resumed = (self.path / "torn.checkpoint.safetensors").exists()
            start = ["--resume"] if resumed else ["corpus.txt", *map(str, self.options)]
            process = subprocess.Popen([TOOL, "train", *start, "-o", str(model), "--checkpoint-every", "0.01"],
                                       cwd=self.path, stdout=subprocess.DEVNULL)
            try:
                process.wait(timeout=choice.uniform(0.02, 0.4) * whole if kills < 10 else 60)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
                continue
            self.assertEqual(process.returncode, 0)
            break
        self.assertEqual(model.read_bytes(), (self.path / "whole.safetensors").read_bytes())
        return kills

    def test_interrupt_saves_and_resume_goes_on(self):
        self.train_whole()
        process = subprocess.Popen([TOOL, "train", "corpus.txt", "-o", "m.safetensors", *map(str, self.options)],
                                   cwd=self.path, stdout=subprocess.PIPE)
        for _ in range(20):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out = process.communicate(timeout=60)[0].decode()
        self.assertEqual(process.returncode, 0)
        self.assertIn("--resume", out)
        self.run_tool("sample", "m.safetensors", "--length", 5)
        self.run_tool("train", "--resume", "m.checkpoint.safetensors")
        self.assertEqual((self.path / "m.safetensors").read_bytes(), (self.path / "whole.safetensors").read_bytes())

    def start_long(self, **more):
        process = subprocess.Popen([TOOL, "train", "corpus.txt", "-o", "m.safetensors", "--steps", "1000000",
                                    "--patience", "0", *SMALL], cwd=self.path, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **more)
        self.addCleanup(process.kill)
        process.stdout.readline()
        return process

    def test_a_hangup_saves_but_not_under_nohup(self):
        for hangup, how in ((signal.SIG_DFL, signal.SIGHUP), (signal.SIG_IGN, signal.SIGINT)):
            process = self.start_long(preexec_fn=lambda: signal.signal(signal.SIGHUP, hangup))
            process.send_signal(signal.SIGHUP)
            if hangup == signal.SIG_IGN:
                for _ in range(20):
                    self.assertTrue(process.stdout.readline())
                process.send_signal(how)
            out = process.communicate(timeout=60)[0].decode()
            self.assertEqual(process.returncode, 0)
            self.assertIn("--resume", out)
            self.run_tool("info", "m.safetensors")
            (self.path / "m.checkpoint.safetensors").unlink()
            (self.path / "m.safetensors").unlink()

    def test_nobody_hears_the_end(self):
        """Ctrl-C ends what reads the output too."""
        process = self.start_long()
        process.send_signal(signal.SIGINT)
        process.stdout.close()
        self.assertEqual((process.wait(timeout=60), process.stderr.read()), (0, b""))
        process.stderr.close()
        self.run_tool("info", "m.safetensors")

    def test_other_material_is_refused(self):
        self.train()
        (self.path / "other.txt").write_bytes(text(seed=2))
        done = self.run_tool("train", "--resume", "other.txt", "-o", "m.safetensors", code=2)
        self.assertIn(b"same files", done.stderr)
