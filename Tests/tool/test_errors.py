"""What is refused, and how it is said."""
import json
import math
import os
import random
import resource
import signal
import struct
import subprocess
import unittest

from support import ROOT, SMALL, TOOL, TUNES, ToolTest, text


class Errors(ToolTest):
    """Each wrong input: the exit code, and one sentence on stderr that names what was wrong."""

    def test_errors(self):
        (self.path / "empty.txt").write_bytes(b"")
        (self.path / "not.safetensors").write_bytes(b"no model at all, only text")
        self.expect(2, "nowhere.txt", "train", "nowhere.txt")
        self.expect(2, "tokens", "train", "empty.txt")
        (self.path / "folder").mkdir()
        self.expect(2, "no MIDI files", "train", "folder", "-o", "m.safetensors")
        self.expect(2, "nowhere", "sample", "nowhere.safetensors")
        self.expect(2, "not.safetensors", "sample", "not.safetensors")
        self.expect(2, "checkpoint", "train", "--resume", "-o", "fresh.safetensors")
        self.expect(64, "--hidden", "train", "corpus.txt", "--hidden", "-3")
        self.expect(64, "hidden", "train", "corpus.txt", "--hidden", "99999999")
        self.expect(64, "0.9", "train", "corpus.txt", "--valid", "0.95")
        self.expect(64, "learn from", "train", "-o", "x.safetensors")
        self.expect(64, "bogus", "train", "--bogus")
        self.train()
        self.expect(64, "temperature", "sample", "m.safetensors", "--temperature", "-1")
        self.expect(64, "top-p", "sample", "m.safetensors", "--top-p", "0")
        self.expect(64, "int4", "quantize", "m.safetensors", "--to", "int4", "-o", "x.safetensors")
        self.expect(64, "half", "train", "corpus.txt", "--precision", "half")
        self.expect(64, "int8", "train", "corpus.txt", "--precision", "int8", "-o", "x.safetensors")
        for command in (["train", "corpus.txt"], ["bench", "train"]):
            self.expect(64, "float32", *command, "--precision", "bfloat16", LIBRETTO_ISA="baseline")
        for start in ([], ["--from", "m.safetensors", "-o", "x.safetensors"], ["--resume", "-o", "m.safetensors"]):
            self.expect(64, "characters, words, melody", "train", "corpus.txt", "--encoding", "foo", *start)
        self.expect(2, "nowhere", "evaluate", "m.safetensors", "nowhere.txt")
        self.expect(2, "nothing to predict", "evaluate", "m.safetensors", "empty.txt")

    def test_no_input_is_written_over(self):
        self.train()
        tune = TUNES / "greensleeves.mid"
        (self.path / "tune.mid").write_bytes(tune.read_bytes())
        (self.path / "link.txt").symlink_to("corpus.txt")
        (self.path / "hard.txt").hardlink_to(self.path / "corpus.txt")
        (self.path / "model").write_bytes((self.path / "m.safetensors").read_bytes())
        before = {path: path.read_bytes() for path in self.path.iterdir()}
        over = "written over"
        for output in ("corpus.txt", "./corpus.txt", "link.txt", "hard.txt"):
            self.expect(64, over, "train", "corpus.txt", "-o", output)
            self.expect(64, over, "train", "corpus.txt", "-o", "new", "--plot", output)
            self.expect(64, over, "train", tune, "--valid", "corpus.txt", "-o", output)
        self.expect(64, over, "train", "corpus.txt", "--from", "m.safetensors", "-o", "m.safetensors")
        self.expect(64, over, "train", "corpus.txt", "--from", "m.checkpoint.safetensors", "-o", "m.safetensors")
        self.expect(64, over, "train", ".", "-o", "new", "--plot", "tune.mid")
        self.expect(64, over, "train", "--resume", "m.checkpoint.safetensors", "-o", "m.checkpoint.safetensors")
        self.expect(64, over, "train", "--resume", "-o", "m.safetensors", "--plot", "corpus.txt")
        self.expect(64, "two results", "train", "corpus.txt", "-o", "new", "--plot", "./new")
        self.expect(64, over, "quantize", "m.safetensors", "-o", "m.safetensors")
        self.expect(64, over, "roll", "tune.mid", "-o", "tune.mid")
        model = ROOT / "models/tunes.safetensors"
        self.expect(64, over, "sample", model, "-o", model)
        self.expect(64, over, "sample", model, "--prime", "tune.mid", "-o", "tune.mid")
        self.expect(64, over, "sample", model, "--prime", "tune.mid", "-o", "new.mid", "--wav", "tune.mid")
        for name in ("m.safetensors", "model"):
            self.expect(64, "libretto sample", "train", name, "-o", "new")
        self.assertEqual(before, {path: path.read_bytes() for path in self.path.iterdir()})

    def test_nothing_is_guessed_or_left_out(self):
        (self.path / "empty.txt").write_bytes(b"")
        (self.path / "folder").mkdir()
        tune = TUNES / "greensleeves.mid"
        (self.path / "tune").write_bytes(tune.read_bytes())
        self.expect(2, "empty.txt", "train", "corpus.txt", "--valid", "empty.txt", "-o", "m")
        self.expect(64, "text files or MIDI files", "train")
        for option in (["--augment"], ["--no-augment"], ["--steps-per-quarter", 8]):
            self.expect(64, "for music", "train", "corpus.txt", *option)
        # Its bytes are notes, whatever it is called.
        self.expect(2, "MIDI", "train", "tune", "--encoding", "bytes", "-o", "m")
        self.expect(64, "--patience", "train", "corpus.txt", "--patience=-1")
        self.expect(64, "--steps-per-quarter", "train", tune, "--steps-per-quarter", 0)
        self.train()
        for command in ("evaluate", "score"):
            for file in (tune, "tune"):
                self.expect(2, "MIDI", command, "m.safetensors", file)
            self.expect(2, "a model", command, "m.safetensors", "m.safetensors")
        self.expect(2, "no text files", "evaluate", "m.safetensors", "folder")
        done = self.run_tool("evaluate", "m.safetensors", "corpus.txt", "folder")
        self.assertIn(b"without text files", done.stderr)
        self.expect(64, "--places", "score", "m.safetensors", "corpus.txt", "--places=-1")

    def test_results_that_cannot_be_written(self):
        (self.path / "folder").mkdir()
        os.mkfifo(self.path / "pipe")
        # Before the training: this one would take days.
        for name, word in (("folder", "regular"), ("pipe", "regular"), ("", "empty"), ("x" * 300, "too long")):
            self.expect(2, word, "train", "corpus.txt", "-o", name, "--steps", 10**9)
            self.expect(2, word, "train", "corpus.txt", "-o", "m", "--plot", name, "--steps", 10**9)
        (self.path / "m.checkpoint.safetensors").mkdir()
        self.expect(2, "checkpoint", "train", "corpus.txt", "-o", "m.safetensors", "--steps", 10**9)
        self.expect(2, "regular", "roll", TUNES / "greensleeves.mid", "-o", "pipe")
        self.assertEqual({path.name for path in self.path.iterdir()}, {"corpus.txt", "folder", "pipe", "m.checkpoint.safetensors"})

    @unittest.skipUnless(hasattr(os, "O_TMPFILE"), "the system has no files without names")
    def test_nothing_is_left_of_a_file_half_written(self):
        try:
            os.close(os.open(self.path, os.O_TMPFILE | os.O_WRONLY))
        except OSError as error:
            self.skipTest(f"the file system has no files without names: {error}")
        model = ROOT / "models/tunes.safetensors"

        def limit():
            # The system ends the process at the thousandth byte.
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        done = subprocess.run([TOOL, "quantize", model, "-o", "m"], cwd=self.path, capture_output=True, preexec_fn=limit)
        self.assertEqual(done.returncode, -signal.SIGXFSZ)
        self.assertEqual([path.name for path in self.path.iterdir()], ["corpus.txt"])

    @unittest.skipUnless(os.path.exists("/dev/full"), "the system has no /dev/full")
    def test_standard_output_that_takes_nothing(self):
        model = ROOT / "models/tunes.safetensors"
        for arguments in (["info", model], ["score", model, TUNES / "greensleeves.mid", "--json"], ["--help"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([TOOL, *arguments], stdout=full, stderr=subprocess.PIPE)
            self.assertEqual((done.returncode, done.stderr.count(b"\n")), (1, 1), done.stderr)
            self.assertIn(b"standard output", done.stderr)
            # Who reads no further has what was wanted.
            reader, writer = os.pipe()
            os.close(reader)
            for signals in (True, False):
                done = subprocess.run([TOOL, *arguments], stdout=writer, stderr=subprocess.PIPE, restore_signals=signals)
                self.assertEqual(done.stderr, b"")
            os.close(writer)

    def test_an_unfinished_run_is_not_lost(self):
        process = subprocess.Popen([TOOL, "train", "corpus.txt", "-o", "m.safetensors", "--steps", "1000000", *SMALL],
                                   cwd=self.path, stdout=subprocess.PIPE)
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        checkpoint = (self.path / "m.checkpoint.safetensors").read_bytes()
        self.expect(64, "--resume", "train", "corpus.txt", "-o", "m.safetensors")
        self.assertEqual((self.path / "m.checkpoint.safetensors").read_bytes(), checkpoint)
        self.train("--force")

    def test_a_model_that_cannot_be_written(self):
        done = self.run_tool("train", "corpus.txt", "-o", "no/such/folder/m.safetensors", "--steps", 3, *SMALL, code=2)
        self.assertIn(b"no/such/folder", done.stderr)

    def test_a_damaged_model(self):
        self.train()
        whole = (self.path / "m.safetensors").read_bytes()
        choice = random.Random(1)
        for _ in range(40):
            damaged = bytearray(whole[: choice.randrange(len(whole))] if choice.random() < 0.5 else whole)
            for _ in range(3):
                damaged[choice.randrange(min(len(damaged), 900) or 1)] ^= 1 << choice.randrange(8) if damaged else 0
            (self.path / "bad.safetensors").write_bytes(damaged)
            done = subprocess.run([TOOL, "info", "bad.safetensors"], cwd=self.path, capture_output=True)
            self.assertIn(done.returncode, (0, 2), done.stderr)

    def test_weights_whose_outputs_are_not_finite(self):
        self.train()
        whole = (self.path / "m.safetensors").read_bytes()
        start = 8 + int.from_bytes(whole[:8], "little")
        tensors = json.loads(whole[8:start])
        for value, code in ((math.nan, 2), (math.inf, 2), (3.3e38, 2), (-1e30, 2), (9e14, 0), (-9e14, 0)):
            for name in ("embedding.weight", "gru.weight_hh_l1", "gru.bias_ih_l0", "head.weight", "head.bias"):
                first, last = (start + place for place in tensors[name]["data_offsets"])
                bad = whole[:first] + struct.pack("<f", value) * ((last - first) // 4) + whole[last:]
                (self.path / "bad.safetensors").write_bytes(bad)
                for command in (["info", "bad.safetensors"], ["sample", "bad.safetensors", "--length", 5],
                                ["evaluate", "bad.safetensors", "corpus.txt", "--json"]):
                    done = self.run_tool(*command, code=code)
                    if code:
                        self.assertIn(name, done.stderr.decode())
                    elif command[0] == "evaluate":
                        self.assertIsNotNone(json.loads(done.stdout)["nats_per_token"])

    def test_arguments_that_are_not_utf8(self):
        (self.path / "caf\udcff.txt").write_bytes(text())
        before = set(self.path.iterdir())
        self.expect(64, "not UTF-8", "train", "caf\udcff.txt", "--steps", 1)
        self.expect(64, "not UTF-8", "train", "corpus.txt", "--steps", 1, "-o", "m\udcff")
        self.expect(64, "not UTF-8", "sample", ROOT / "models/tunes.safetensors", "--bars=1", "--output=\udcff.mid")
        self.assertEqual(set(self.path.iterdir()), before)

    def test_an_unknown_instruction_set(self):
        self.expect(64, "has baseline", "info", ROOT / "models/tunes.safetensors", LIBRETTO_ISA="foo")
        for name in ("baseline", ""):
            self.run_tool("info", ROOT / "models/tunes.safetensors", LIBRETTO_ISA=name)

    def test_help_of_everything(self):
        for command in ([], ["train"], ["sample"], ["evaluate"], ["score"], ["info"], ["quantize"], ["bench", "train"]):
            self.assertIn(b"USAGE", self.run_tool(*command, "--help").stdout)
