"""The README's commands, run as they are written in a folder that looks like a fresh clone once `make` has run,
with a home folder that Libretto is installed in; and what is said of model files."""
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import unittest

from support import BUILD, ROOT, SMALL, STAGE, ToolTest, text

README = (ROOT / "README.md").read_text()
FORMAT = (ROOT / "docs/file-format.md").read_text()
# These need an ALSA sequencer; Tests/alsa has them.
ELSEWHERE = ("libretto-play", "libretto-duet")
# `make` has run. The least training will do.
PRELUDE = """set -e
make() { :; }
sudo() { "$@"; }
ldconfig() { :; }
"""


def blocks():
    """The fenced blocks, in order: what they hold, and what is in them."""
    return re.findall(r"^```([a-z]*)\n(.*?)^```$", README, re.S | re.M)


def commands(transcript):
    """What somebody typed: lines after "$ ", and after "> " where a quotation goes on."""
    lines = []
    for line in transcript.splitlines():
        if line.startswith("$ "):
            lines.append(line[2:])
        elif line.startswith("> ") and lines and lines[-1].count("'") % 2:
            lines[-1] += "\n" + line[2:]
    return [line for line in lines if not line.startswith(ELSEWHERE)]


class Readme(ToolTest):
    def setUp(self):
        super().setUp()
        (self.path / ".build").mkdir()
        (self.path / ".build/release").symlink_to(BUILD)
        for path in ROOT.iterdir():
            if path.name not in (".build", ".git"):
                (self.path / path.name).symlink_to(path)
        (self.path / "home").mkdir()
        (self.path / "home/.local").symlink_to(STAGE)
        # "A file of your own".
        (self.path / "shakespeare.txt").write_bytes(text())

    def run_script(self, script):
        script = re.sub(r"--minutes [0-9.]+", "--steps 20", script)
        path = os.environ["PATH"] if BUILD == STAGE else f"{STAGE}/bin:{os.environ['PATH']}"
        done = subprocess.run(["bash", "-c", PRELUDE + script], cwd=self.path, capture_output=True, timeout=300,
                              env={**os.environ, "HOME": str(self.path / "home"), "PATH": path,
                                   "PKG_CONFIG_PATH": str(STAGE / "lib/pkgconfig")})
        self.assertEqual(done.returncode, 0, f"{script}\n{done.stderr.decode()[-1000:]}")
        return done.stdout.decode()

    def test_every_command_runs(self):
        first = True
        ran = 0
        for kind, block in blocks():
            if kind == "c":
                (self.path / "program.c").write_text(block)
            elif kind == "sh":
                out = self.run_script(block)
                ran += 1
                if first:
                    # The first screen: a tune, shown.
                    self.assertIn("tune.mid: 16 bars", out)
                    self.assertEqual((self.path / "tune.mid").read_bytes()[:4], b"MThd")
                    first = False
            elif kind == "console":
                for command in commands(block):
                    self.run_script(command)
                    ran += 1
        self.assertGreater(ran, 8)
        for name in ("my.safetensors", "new-3.mid", "longer.svg", "program"):
            self.assertTrue((self.path / name).exists(), name)

    def test_commands_are_on_the_path_before_they_are_used(self):
        """Until it is installed, the tool is called by where it was built."""
        installed = False
        for kind, block in blocks():
            lines = block.splitlines() if kind == "sh" else commands(block) if kind == "console" else []
            for line in lines:
                if line.startswith("make install"):
                    installed = True
                self.assertTrue(installed or not re.match(r"libretto\b", line), line)

    def test_demo_begins_with_the_model_that_is_there(self):
        (self.path / ".build/release").unlink()
        (self.path / ".build/release").mkdir()
        tool = self.path / ".build/release/libretto"
        tool.write_text(f"""#!/bin/sh
for word do shift; case $word in 0.5|0.8) word=5;; --minutes) word=--steps;; esac; set -- "$@" "$word"; done
exec '{BUILD}/libretto' "$@"
""")
        tool.chmod(0o755)
        for corpus in ("", "shakespeare.txt"):
            out = subprocess.run(["examples/demo", corpus, "0.8"], cwd=self.path, capture_output=True, check=True,
                                 timeout=300).stdout.decode()
            tune = out.index("first.mid: 16 bars")
            self.assertLess(tune, out.index("Training:"))
            self.assertIn("│", out[:tune])
            demo = self.path / ".build/demo"
            for name in ("first.mid", "first.svg", "second.mid", "tunes.safetensors", "text.safetensors", "loss.svg"):
                self.assertTrue((demo / name).exists(), name)

    def test_options_that_the_prose_names(self):
        known = set()
        for command in ("train", "sample", "evaluate", "score", "quantize", "roll"):
            known |= set(re.findall(r"--[a-z-]+", self.run_tool(command, "--help").stdout.decode()))
        for command in re.findall(r"`libretto [a-z][^`]*`", README):
            for option in re.findall(r"(?<= )--[a-z-]+", command):
                self.assertIn(option, known, command)

    def test_pytorch_there_and_back(self):
        try:
            import safetensors.torch, torch  # noqa: F401
        except ImportError as error:
            self.skipTest(f"{error}")
        program = next(block for kind, block in blocks() if kind == "python")
        self.train()
        (self.path / "float32.safetensors").write_bytes((self.path / "m.safetensors").read_bytes())
        for precision in ("bfloat16", "int8"):
            self.run_tool("quantize", "m.safetensors", "--to", precision, "-o", f"{precision}.safetensors")
        for precision in ("float32", "bfloat16", "int8"):
            (self.path / "my.safetensors").write_bytes((self.path / f"{precision}.safetensors").read_bytes())
            subprocess.run([sys.executable, "-c", program], cwd=self.path, check=True, timeout=120)
            nats = [json.loads(self.run_tool("evaluate", name, "corpus.txt", "--json").stdout)["nats_per_token"]
                    for name in ("my.safetensors", "back.safetensors")]
            self.assertAlmostEqual(*nats, delta=1e-3)
            self.assertEqual(json.loads(self.run_tool("info", "back.safetensors", "--json").stdout)["precision"], "float32")


class ModelFiles(ToolTest):
    """Files that another program writes, with what docs/file-format.md says they need."""

    def parts(self, name):
        data = (self.path / name).read_bytes()
        length = struct.unpack("<Q", data[:8])[0]
        return json.loads(data[8:8 + length]), data[8 + length:]

    def write(self, name, header, data):
        text = json.dumps(header).encode()
        (self.path / name).write_bytes(struct.pack("<Q", len(text)) + text + data)

    def test_what_is_missing_is_named(self):
        self.train()
        header, data = self.parts("m.safetensors")
        metadata = header["__metadata__"]
        needed = ["format", "format_version", "vocabulary_size", "embedding_size", "hidden_size", "layers", "encoding"]
        for key in [*needed, "encoding.alphabet"]:
            self.assertIn(f"`{key}`", FORMAT)
            left = {k: v for k, v in metadata.items() if k != key}
            self.write("less.safetensors", {**header, "__metadata__": left}, data)
            self.expect(2, key, "info", "less.safetensors")
        # Tensors alone, as other libraries write them: all at once.
        del header["__metadata__"]
        for extra in ({}, {"__metadata__": {"format": "pt"}}):
            self.write("bare.safetensors", {**extra, **header}, data)
            self.expect(2, "layers, encoding", "info", "bare.safetensors")
        self.expect(2, "\"pt\", expected \"libretto\"", "info", "bare.safetensors")
        # No more than these is needed, in any order.
        keys = [*needed, "encoding.alphabet"]
        self.write("enough.safetensors", {**header, "__metadata__": {k: metadata[k] for k in reversed(keys)}}, data)
        self.run_tool("sample", "enough.safetensors", "--length", 10)

    def test_tensors_in_float32_bfloat16_and_int8(self):
        """The README's rule for reading them, without PyTorch."""
        self.train()
        values = {}
        for precision in ("float32", "bfloat16", "int8"):
            name = f"{precision}.safetensors"
            if precision == "float32":
                (self.path / name).write_bytes((self.path / "m.safetensors").read_bytes())
            else:
                self.run_tool("quantize", "m.safetensors", "--to", precision, "-o", name)
            header, data = self.parts(name)

            def floats(tensor):
                entry = header[tensor]
                raw = data[slice(*entry["data_offsets"])]
                if entry["dtype"] == "F32":
                    return struct.unpack(f"<{len(raw) // 4}f", raw)
                if entry["dtype"] == "BF16":
                    return struct.unpack(f"<{len(raw) // 2}f", b"".join(b"\0\0" + raw[i:i + 2] for i in range(0, len(raw), 2)))
                columns = entry["shape"][1]
                scales = floats(tensor + ".scale")
                return [scales[i // columns] * v for i, v in enumerate(struct.unpack(f"<{len(raw)}b", raw))]
            values[precision] = floats("gru.weight_hh_l0")
        largest = max(map(abs, values["float32"]))
        for precision, error in (("bfloat16", 1 / 256), ("int8", 1 / 200)):
            for a, b in zip(values["float32"], values[precision], strict=True):
                self.assertAlmostEqual(a, b, delta=error * largest)
