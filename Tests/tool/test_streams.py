"""Standard input, standard output and pipes wherever a command takes a file."""
import os
import pty
import subprocess
import threading

from support import ROOT, SMALL, TOOL, TUNES, ToolTest

MODEL = ROOT / "models/tunes.safetensors"
TUNE = TUNES / "greensleeves.mid"


class Streams(ToolTest):
    def out(self, *arguments, data=None):
        return self.run_tool(*arguments, data=data).stdout

    def fifo(self, name, data):
        """A named pipe that gives these bytes to the next who opens it."""
        os.mkfifo(self.path / name)
        writer = threading.Thread(target=(self.path / name).write_bytes, args=(data,), daemon=True)
        writer.start()
        self.addCleanup(writer.join, 10)
        return self.path / name

    def test_every_input(self):
        self.train()
        model, tunes, corpus, tune = ((self.path / "m.safetensors").read_bytes(), MODEL.read_bytes(),
                                      (self.path / "corpus.txt").read_bytes(), TUNE.read_bytes())
        for number, (before, file, after, data) in enumerate([
            (["info", "--json"], "m.safetensors", [], model),
            (["sample", "--seed", 1, "--length", 30], "m.safetensors", [], model),
            (["score"], "m.safetensors", ["corpus.txt"], model),
            (["score", "--json", "m.safetensors"], "corpus.txt", [], corpus),
            (["score", MODEL], TUNE, [], tune),
            (["midi", "notes"], TUNE, [], tune), (["midi", "info", "--json"], TUNE, [], tune),
            (["roll", "-o", "-", "--title", "x"], TUNE, [], tune),
            (["sample", MODEL, "-o", "-", "--seed", 1, "--bars", 34, "--prime"], TUNE, [], tune),
            (["sample", "-o", "-", "--seed", 1, "--bars", 2], MODEL, [], tunes),
            (["quantize", "-o", "-"], "m.safetensors", [], model),
        ]):
            expected = self.out(*before, file, *after)
            self.assertTrue(expected)
            self.assertEqual(self.out(*before, "-", *after, data=data), expected, before)
            self.assertEqual(self.out(*before, self.fifo(f"pipe{number}", data), *after), expected, before)
        bits = lambda *files, data=None: self.out("evaluate", *files, "--json", data=data).split(b',"tokens_per_second')[0]
        expected = bits("m.safetensors", "corpus.txt")
        self.assertEqual(bits("-", "corpus.txt", data=model), expected)
        self.assertEqual(bits("m.safetensors", "-", data=corpus), expected)
        # An error names the stream, not what was made of it.
        for arguments in (["info"], ["evaluate", "m.safetensors"], ["midi", "notes"], ["roll"], ["score", "m.safetensors"]):
            said = self.run_tool(*arguments, "-", data=b"\x00\x01\x02", code=2).stderr if arguments[0] not in ("evaluate", "score") \
                else self.run_tool(*arguments, "-", data=tune, code=2).stderr
            self.assertIn(b"standard input", said)
            self.assertNotIn(b"/dev/", said)

    def test_training(self):
        corpus, tune = (self.path / "corpus.txt").read_bytes(), TUNE.read_bytes()
        options = ["--steps", 5, *SMALL]
        self.run_tool("train", "corpus.txt", "-o", "m.safetensors", "--plot", "m.svg", *options)
        model, plot = (self.path / "m.safetensors").read_bytes(), (self.path / "m.svg").read_bytes()
        self.run_tool("train", "-", "-o", "a.safetensors", *options, data=corpus)
        self.assertEqual((self.path / "a.safetensors").read_bytes(), model)
        self.run_tool("train", self.fifo("pipe.txt", corpus), *options)
        self.assertEqual((self.path / "pipe.safetensors").read_bytes(), model)
        done = self.run_tool("train", "-", "-o", "-", *options, data=corpus)
        self.assertEqual(done.stdout, model)
        self.assertIn(b"5 steps", done.stderr)
        self.assertEqual(self.out("train", "corpus.txt", "-o", "b.safetensors", "--plot", "-", *options), plot)
        self.run_tool("train", "-", "-o", "t.safetensors", *options, data=tune)
        self.run_tool("train", "corpus.txt", "-o", "c.safetensors", "--from", "-", "--steps", 2, data=model)
        self.run_tool("train", "corpus.txt", "-o", "d.safetensors", "--valid", "-", *options, data=corpus)
        self.assertFalse([path.name for path in self.path.iterdir() if path.name in ("-", "-.safetensors")])

    def test_a_stream_has_one_use(self):
        for arguments in (["evaluate", "-", "-"], ["score", "-", "-"], ["train", "-", "-", "-o", "m"],
                          ["train", "-", "--valid", "-", "-o", "m"], ["train", "corpus.txt", "--from", "-", "--valid", "-", "-o", "m"],
                          ["sample", "-", "--prime", "-"]):
            self.expect(64, "only once", *arguments)
        self.expect(64, "two results", "train", "corpus.txt", "-o", "-", "--plot", "-")
        self.expect(64, "-o MODEL", "train", "-")

    def test_no_binary_on_a_terminal(self):
        for arguments, code in ((["quantize", MODEL, "-o", "-"], 64), (["sample", MODEL, "-o", "-"], 64),
                                (["train", "corpus.txt", "-o", "-", "--steps", 10**9], 64), (["roll", TUNE, "-o", "-"], 0)):
            reader, writer = pty.openpty()
            done = subprocess.Popen([TOOL, *map(str, arguments)], cwd=self.path, stdout=writer, stderr=subprocess.PIPE)
            os.close(writer)
            shown = b""
            try:
                while block := os.read(reader, 1 << 16):
                    shown += block
            except OSError:
                pass  # The terminal is closed.
            os.close(reader)
            said = done.stderr.read()
            done.stderr.close()
            self.assertEqual(done.wait(timeout=60), code, said)
            self.assertEqual(b"terminal" in said, code == 64, said)
            self.assertEqual(b"</svg>" in shown, code == 0)

    def test_closed_standard_streams(self):
        """Their numbers go to no other file: what is printed would be in the model."""
        self.train(output="whole.safetensors")
        for closed in ([0], [1], [0, 1], [0, 1, 2]):
            def close():
                for number in closed:
                    os.close(number)
            done = subprocess.run([TOOL, "train", "corpus.txt", "-o", "m.safetensors", "--force", "--steps", "60", *SMALL],
                                  cwd=self.path, preexec_fn=close, timeout=60, stdout=subprocess.DEVNULL if 1 not in closed else None,
                                  stderr=subprocess.DEVNULL if 2 not in closed else None)
            self.assertEqual(done.returncode, 1 if 1 in closed else 0, closed)
            self.assertEqual((self.path / "m.safetensors").read_bytes(), (self.path / "whole.safetensors").read_bytes())
        done = subprocess.run([TOOL, "info", "-"], preexec_fn=lambda: os.close(0), capture_output=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"standard input", done.stderr)

    def test_standard_output_that_is_full(self):
        for arguments in (["quantize", MODEL, "-o", "-"], ["sample", MODEL, "-o", "-", "--bars", 2], ["roll", TUNE, "-o", "-"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([TOOL, *map(str, arguments)], stdout=full, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"standard output", done.stderr)
