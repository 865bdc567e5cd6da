"""The C programs of the README and of the examples, against an installation."""
import json
import math
import os
import random
import re
import struct
import subprocess

from support import ROOT, STAGE, ToolTest, text


class Programs(ToolTest):
    """C programs, built as an outside user builds them."""

    def build(self, source, name):
        (self.path / f"{name}.c").write_text(source)
        environment = {**os.environ, "PKG_CONFIG_PATH": str(STAGE / "lib/pkgconfig")}
        subprocess.run(f"cc -std=c99 -Wall -Wextra -Werror {name}.c -o {name} $(pkg-config --cflags --libs libretto) -Wl,-rpath,{STAGE}/lib",
                       shell=True, check=True, cwd=self.path, env=environment)

    def test_the_readme_program(self):
        blocks = re.findall(r"```c\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
        self.assertTrue(blocks)
        for block in blocks:
            self.build(block, "program")
            out = subprocess.run(["./program"], cwd=self.path, capture_output=True, check=True, timeout=120).stdout
            self.assertGreater(len(out.decode()), 300)

    def test_the_text_example(self):
        out = subprocess.run([STAGE / "bin/libretto-text", "corpus.txt", "t.safetensors", "0.03"], cwd=self.path,
                             capture_output=True, check=True, timeout=120).stdout
        self.assertGreater(len(out.decode()), 490)
        self.run_tool("info", "t.safetensors")
        bad = subprocess.run([STAGE / "bin/libretto-text", "nowhere.txt"], capture_output=True)
        self.assertEqual(bad.returncode, 1)
        self.assertIn(b"nowhere.txt", bad.stderr)
        for minutes in ("banana", "1x", "0", "nan"):
            bad = subprocess.run([STAGE / "bin/libretto-text", "corpus.txt", "t.safetensors", minutes], capture_output=True)
            self.assertEqual((bad.returncode, bad.stdout), (64, b""))
            self.assertIn(minutes.encode(), bad.stderr)

    def test_the_melody_example(self):
        tunes = [str(path) for path in sorted((ROOT / "examples/tunes").glob("*.mid"))[:12]]
        (self.path / "bad.mid").write_bytes(b"no tune")
        done = subprocess.run([STAGE / "bin/libretto-melody", "tune.mid", "bad.mid", *tunes], cwd=self.path,
                              capture_output=True, check=True, timeout=120)
        self.assertIn(b"bad.mid", done.stderr)
        info = json.loads(self.run_tool("midi", "info", "tune.mid", "--json").stdout)
        self.assertEqual(info["bars"], 16)
        self.assertEqual(info["warnings"], [])

    @staticmethod
    def wave(frequencies, rate=8000, bits=16, channels=1, seed=0):
        """A WAV file of some tones, one after another, with noise."""
        noise = random.Random(seed)
        frames = bytearray()
        for frequency in frequencies:
            for i in range(rate // 8):
                x = 0.5 * math.sin(2 * math.pi * frequency * i / rate) + 0.02 * noise.uniform(-1, 1)
                frames += int(x * ((1 << (bits - 1)) - 1)).to_bytes(bits // 8, "little", signed=True) * channels
        size = bits // 8 * channels
        header = struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, channels, rate, rate * size, size, bits, b"data", len(frames))
        return b"RIFF" + struct.pack("<I", len(header) + len(frames) + 4) + b"WAVE" + header + bytes(frames)

    def test_the_words_example(self):
        words = {"down": (2000, 1000, 500), "up": (500, 1000, 2000), "level": (800, 800, 800)}
        for word, tones in words.items():
            folder = self.path / "all" / word
            folder.mkdir(parents=True)
            for i in range(12):
                (folder / f"{i}.wav").write_bytes(self.wave([t * (1 + 0.01 * (i % 5)) for t in tones], seed=i))
        (self.path / "all/up/no.wav").write_bytes(b"no sound")
        program = STAGE / "bin/libretto-words"
        done = subprocess.run([program, "train", "all", "w.safetensors", "0.2"], cwd=self.path, capture_output=True,
                              timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"all/up/no.wav is left out: not a WAV file", done.stderr)
        # Of other rates, formats and numbers of channels too.
        formats = [{}, {"rate": 44100, "bits": 24, "channels": 2}, {"rate": 16000, "bits": 32}]
        for i, (word, tones) in enumerate(words.items()):
            (self.path / f"{word}.wav").write_bytes(self.wave(tones, seed=99, **formats[i]))
        said = subprocess.run([program, "w.safetensors", *[f"{word}.wav" for word in words]], cwd=self.path,
                              capture_output=True, check=True, timeout=120).stdout.decode()
        self.assertEqual([line.split("\t")[:2] for line in said.splitlines()], [[f"{w}.wav", w] for w in words])
        for arguments, word in ((["w.safetensors", "all/up/no.wav"], b"not a WAV file"),
                                (["w.safetensors", "nowhere.wav"], b"cannot be opened"),
                                (["nowhere.safetensors", "up.wav"], b"nowhere.safetensors"),
                                (["train", "nowhere", "x.safetensors"], b"nowhere")):
            bad = subprocess.run([program, *arguments], cwd=self.path, capture_output=True, timeout=120)
            self.assertEqual(bad.returncode, 1, bad.stderr)
            self.assertIn(word, bad.stderr)
        self.assertEqual(subprocess.run([program], capture_output=True).returncode, 64)
