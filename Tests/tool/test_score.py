"""What in a file surprises a model, and how it is shown."""
import json
import os
import pty
import re
import subprocess

from support import ROOT, SMALL, TOOL, TUNES, ToolTest

MODEL = ROOT / "models/tunes.safetensors"


class Score(ToolTest):
    def places(self, *arguments):
        lines = self.run_tool("score", *arguments).stdout.decode().splitlines()
        return lines[lines.index("The most surprising places:") + 1:]

    def test_text_lists_lines(self):
        self.train()
        places = self.places("m.safetensors", "corpus.txt", "--places", 8)
        lines = [place.split(":")[0] for place in places]
        self.assertEqual((len(lines), len(set(lines))), (8, 8))
        bits = [float(re.search(r"([0-9.]+) bits", place)[1]) for place in places]
        self.assertEqual(bits, sorted(bits, reverse=True))
        # The greatest surprise of all is the first.
        scores = json.loads(self.run_tool("score", "m.safetensors", "corpus.txt", "--json").stdout)["tokens"]
        self.assertGreaterEqual(bits[0] + 0.05, max(-t["log_probability"] / 0.6931 for t in scores))
        # One long line has several places too.
        (self.path / "line.txt").write_text("the cat sat on the mat " * 100 + "XYZZY" + " and the dog" * 100 + "Q" + " to" * 200)
        self.assertEqual(len(self.places("m.safetensors", "line.txt", "--places", 3)), 3)

    def test_music_lists_bars(self):
        tune = TUNES / "greensleeves.mid"
        places = self.places(MODEL, tune, "--places", 6)
        bars = [re.match(r" +bar ([0-9]+), beat [0-9.]+ +[0-9.]+ bits  [A-Z]+", place)[1] for place in places]
        self.assertEqual(len(set(bars)), 6)
        out = self.run_tool("score", MODEL, tune).stdout.decode()
        evaluation = json.loads(self.run_tool("evaluate", MODEL, tune, "--json").stdout)
        self.assertIn(f"{evaluation['nats_per_step']:.3f} nats per step over {evaluation['steps']} steps", out)
        self.run_tool("train", TUNES, "-o", "p.safetensors", "--encoding", "performance", "--steps", 10, *SMALL)
        seconds = [float(place.split()[0]) for place in self.places("p.safetensors", tune, "--places", 5)]
        self.assertEqual(len({int(second) for second in seconds}), 5)

    def on_a_terminal(self, *arguments, **environment):
        reader, writer = pty.openpty()
        subprocess.run([TOOL, *map(str, arguments)], cwd=self.path, stdout=writer, check=True, timeout=120,
                       env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **environment})
        os.close(writer)
        out = b""
        try:
            while block := os.read(reader, 1 << 16):
                out += block
        except OSError:
            pass  # Nobody has the other end.
        os.close(reader)
        return out

    def test_colours_where_they_are_wanted(self):
        (self.path / "short.txt").write_text("the cat sat on a mat XYZ\n")
        self.train()
        for arguments in (["score", "m.safetensors", "short.txt"], ["sample", MODEL, "-o", "a.mid", "--bars", 1]):
            self.assertIn(b"\x1b[", self.on_a_terminal(*arguments, TERM="xterm"))
            for environment in ({"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}):
                self.assertNotIn(b"\x1b", self.on_a_terminal(*arguments, **environment))
            self.assertNotIn(b"\x1b", self.run_tool(*arguments, TERM="xterm").stdout)
