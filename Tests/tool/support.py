"""What the tests of the tool share: where it is, a corpus to train on, and a folder for each test."""
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# The arguments of `run`.
BUILD = ROOT / (sys.argv[1] if len(sys.argv) > 1 else ".build/release")
STAGE = ROOT / (sys.argv[2] if len(sys.argv) > 2 else ".build/stage")
TOOL = str(BUILD / "libretto")
TUNES = ROOT / "examples/tunes"
SMALL = ["--hidden", "24", "--layers", "2", "--embedding", "8", "--batch", "8", "--sequence", "16", "--threads", "2"]


def text(size=20_000, seed=1):
    """A text with some order in it, and characters of every length."""
    words = "the cat sat on a mat while naïve Γιώργος sang 歌 to 🎵 and the dog.\n".split(" ")
    choice = random.Random(seed)
    return " ".join(choice.choice(words) for _ in range(size // 4)).encode()[:size]


class ToolTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        (self.path / "corpus.txt").write_bytes(text())

    def run_tool(self, *arguments, code=0, data=None, cwd=None, **environment):
        done = subprocess.run([TOOL, *map(str, arguments)], cwd=cwd or self.path, capture_output=True, input=data,
                              timeout=120, env={**os.environ, **environment})
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout[-500:]} {done.stderr[-500:]}")
        return done

    def train(self, *more, output="m.safetensors"):
        return self.run_tool("train", "corpus.txt", "-o", output, "--steps", 60, *SMALL, *more)

    def expect(self, code, word, *arguments, **environment):
        """A wrong input: the exit code, nothing on stdout, and on stderr one sentence with the word."""
        done = self.run_tool(*arguments, code=code, **environment)
        error = done.stderr.decode()
        self.assertIn(word, error)
        self.assertEqual(done.stdout, b"")
        if code != 64:
            self.assertEqual(len(error.splitlines()), 1, error)
