"""What a person sees on a terminal, a narrow one too."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from support import ROOT, SMALL, TOOL, TUNES, ToolTest

MODEL = ROOT / "models/tunes.safetensors"


class Terminal(ToolTest):
    def shown(self, *arguments, columns=40, **environment):
        """All that is written to a terminal of so many columns."""
        reader, writer = pty.openpty()
        fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([TOOL, *map(str, arguments)], cwd=self.path, stdout=writer, stderr=writer,
                                   env={**os.environ, "TERM": "xterm", **environment})
        os.close(writer)
        shown = b""
        try:
            while block := os.read(reader, 1 << 16):
                shown += block
        except OSError:
            pass  # The terminal is closed.
        os.close(reader)
        process.wait(timeout=60)
        return shown.decode()

    def lines(self, shown):
        return re.split(r"\r\n|\r\x1b\[K", re.sub(r"\x1b\[[0-9;]*m", "", shown))

    def test_no_word_is_broken(self):
        (self.path / "held.txt").write_bytes((self.path / "corpus.txt").read_bytes())
        for arguments in (["train", "corpus.txt", "-o", "m.safetensors", "--steps", 100, "--plot", "loss.svg", *SMALL],
                          ["train", "corpus.txt", "-o", "m.safetensors", "--steps", 3],
                          ["train", "--resume", "m.safetensors"], ["info", "m.safetensors"],
                          ["evaluate", "m.safetensors", "held.txt"], ["quantize", "m.safetensors", "-o", "q.safetensors"],
                          ["train", "corpus.txt", "--hidden", "nan"], ["train", "--lr", 3],
                          ["train", "nowhere.txt"], ["bench", "sample", "--hidden", 16, "--seconds", 0.01]):
            for line in self.lines(self.shown(*arguments)):
                self.assertLessEqual(len(line), 40, (arguments, line))

    def test_a_dumb_terminal_and_one_without_colours(self):
        run = ["train", "corpus.txt", "-o", "m.safetensors", "--steps", 100, *SMALL]
        self.assertIn("\x1b[K", self.shown(*run))
        self.assertNotIn("\x1b", self.shown(*run, "--force", TERM="dumb"))
        self.assertNotIn("\x1b", self.shown(*run, "--force", TERM=""))
        self.assertIn("\x1b[", self.shown("score", "m.safetensors", "corpus.txt"))
        for environment in ({"TERM": "dumb"}, {"NO_COLOR": "1"}):
            self.assertNotIn("\x1b[", self.shown("score", "m.safetensors", "corpus.txt", **environment))
            self.assertNotIn("\x1b[", self.shown("info", "m.safetensors", **environment))

    def test_wide_characters_fit(self):
        (self.path / "wide.txt").write_text("歌を歌う、花が咲く。\n" * 2000)
        name = "歌" * 12 + ".safetensors"
        for line in self.lines(self.shown("train", "wide.txt", "-o", name, "--steps", 10, *SMALL)):
            self.assertLessEqual(sum(2 if ord(c) > 0x2E80 else 1 for c in line), 40, line)
