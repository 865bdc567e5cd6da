"""The C programs of the README and of the examples, against an installation."""
import json
import os
import re
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
