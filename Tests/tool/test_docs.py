"""The guides in docs: their commands, run in a folder that looks like a fresh clone of an installed Libretto, their
programs, their links, and what they quote from the sources."""
import ctypes
import json
import math
import os
import re
import subprocess

from support import BUILD, ROOT, STAGE, ToolTest

DOCS = ROOT / "docs"
PAGES = sorted(page.stem for page in DOCS.glob("*.md"))
HEADER = (ROOT / "Include/libretto.h").read_text()
# These need an ALSA sequencer, JACK or a synthesizer; Tests/alsa and Tests/lv2 have the first three.
ELSEWHERE = ("libretto-play", "libretto-duet", "jalv", "jack_", "aconnect", "aseqdump", "fluidsynth")
# `make` has run; C programs are compiled as strictly as the examples.
PRELUDE = """set -e
make() { :; }
cc() { command cc -std=c99 -Wall -Wextra -Werror "$@"; }
"""


def text(page):
    return (DOCS / f"{page}.md").read_text()


def blocks(page):
    """The fenced blocks, in order: what they hold, what is in them, and the text before them."""
    parts = re.split(r"^```([a-z]*)\n(.*?)^```$", text(page), flags=re.S | re.M)
    return [(parts[i + 1], parts[i + 2], parts[i]) for i in range(0, len(parts) - 1, 3)]


def prose(page):
    """The page without its fenced blocks."""
    return re.sub(r"^```[a-z]*\n.*?^```$", "", text(page), flags=re.S | re.M)


def commands(transcript):
    """What somebody typed, after "$ "."""
    return [line[2:] for line in transcript.splitlines()
            if line.startswith("$ ") and not line[2:].startswith(ELSEWHERE)]


def program_name(block):
    """A whole program has its name in the first line."""
    found = re.match(r"(?:/\*|#) ([a-z_]+\.(?:c|py)) - ", block)
    return found and found[1]


def shortened(source):
    """The least training will do."""
    source = re.sub(r"--minutes [0-9.]+", "--steps 20", source)
    return re.sub(r"options\.minutes = [0-9.]+", "options.steps = 20", source)


class Docs(ToolTest):
    def setUp(self):
        super().setUp()
        (self.path / "corpus.txt").unlink()
        (self.path / ".build").mkdir()
        (self.path / ".build/release").symlink_to(BUILD)
        for path in ROOT.iterdir():
            if path.name not in (".build", ".git"):
                (self.path / path.name).symlink_to(path)
        (self.path / "home").mkdir()
        (self.path / "home/.local").symlink_to(STAGE)

    def run_script(self, script):
        done = subprocess.run(
            ["bash", "-c", PRELUDE + shortened(script)], cwd=self.path, capture_output=True, timeout=120,
            env={**os.environ, "HOME": str(self.path / "home"), "PATH": f"{STAGE}/bin:{os.environ['PATH']}",
                 "LD_LIBRARY_PATH": str(STAGE / "lib"), "PKG_CONFIG_PATH": str(STAGE / "lib/pkgconfig")})
        self.assertEqual(done.returncode, 0, f"{script}\n{done.stderr.decode()[-1000:]}")
        return done.stdout.decode()

    def run_page(self, page):
        """Runs the commands of a page, after its programs are written where they read them."""
        ran = []
        programs = []
        for kind, block, _ in blocks(page):
            name = program_name(block)
            if kind == "c" and "int main(" in block:
                self.assertTrue(name, f"{page}: a program without a name:\n{block[:200]}")
            if name:
                (self.path / name).write_text(shortened(block))
                programs.append(name)
            elif kind == "sh":
                self.run_script(block)
                ran += block.splitlines()
            elif kind == "console":
                for command in commands(block):
                    self.run_script(command)
                    ran.append(command)
        for name in programs:
            run = f"./{name[:-2]}" if name.endswith(".c") else f"python3 {name}"
            self.assertTrue(any(line.startswith(run) for line in ran), f"{page}: {name} is not run")
        return ran

    def test_links_lead_somewhere(self):
        for page in PAGES:
            for link in re.findall(r"\]\(([^)]+)\)", prose(page)):
                path, _, anchor = link.partition("#")
                if re.match(r"[a-z]+:", link):
                    continue
                target = DOCS / path if path else DOCS / f"{page}.md"
                self.assertTrue(target.exists(), f"{page}: {link}")
                if anchor:
                    headings = re.findall(r"^#+ (.*)$", target.read_text(), re.M)
                    anchors = [re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings]
                    self.assertIn(anchor, anchors, f"{page}: {link}")

    def test_index_has_every_page(self):
        for page in PAGES:
            if page != "README":
                self.assertIn(f"({page}.md)", text("README"))

    def test_paths_that_are_named_exist(self):
        for page in PAGES:
            for path in re.findall(r"`((?:Sources|Include|Tests|examples|models|benchmarks)/[^` ]*)`", prose(page)):
                self.assertTrue(list(ROOT.glob(path.rstrip("/"))), f"{page}: {path}")

    def test_quotations_equal_the_source(self):
        """A block of Swift quotes the file that is linked last before it."""
        quoted = 0
        for page in PAGES:
            for kind, block, before in blocks(page):
                if kind == "swift":
                    links = re.findall(r"\]\((\.\./Sources/[^)]+\.swift)\)", before)
                    self.assertTrue(links, f"{page}: which file is this from?\n{block[:200]}")
                    self.assertIn(block, (DOCS / links[-1]).read_text(), f"{page}: {links[-1]} has changed")
                    quoted += 1
        self.assertGreater(quoted, 0)

    def test_names_of_the_interface_exist(self):
        names = set(re.findall(r"\bRETTO_\w+|\bretto_\w+", HEADER))
        for page in PAGES:
            for name in re.findall(r"\bRETTO_[A-Z0-9_]+\w|\bretto_\w*[a-z0-9]\b", text(page)):
                self.assertIn(name, names, page)

    def test_options_that_the_prose_names(self):
        known = {}
        for command in ("train", "sample", "classify", "translate", "forecast", "evaluate", "score", "info", "quantize", "roll"):
            known[command] = set(re.findall(r"--[a-z-]+", self.run_tool(command, "--help").stdout.decode()))
        every = set().union(*known.values())
        for program in ("libretto-play", "libretto-duet"):
            path = STAGE / "bin" / program
            if path.exists():
                out = subprocess.run([path, "--help"], capture_output=True, check=True).stdout.decode()
                every |= set(re.findall(r"--[a-z-]+", out))
            elif "live" in PAGES:
                every |= set(re.findall(r"--[a-z-]+", text("live")))
        for page in PAGES:
            for span in re.findall(r"`([^`\n]*)`", prose(page)):
                command = re.match(r"libretto ([a-z]+) ", span)
                for option in re.findall(r"(?:^|(?<= ))--[a-z][a-z-]+", span):
                    self.assertIn(option, known.get(command and command[1], every), f"{page}: {span}")


def page_test(page):
    def test(self):
        self.run_page(page)
    return test


# One test for each page, so that a failure names it.
for page in PAGES:
    setattr(Docs, f"test_commands_of_{page.replace('-', '_')}", page_test(page))


class FileFormat(ToolTest):
    """The reader in docs/file-format.md, against the library."""

    def setUp(self):
        super().setUp()
        program = next(block for _, block, _ in blocks("file-format") if program_name(block) == "read_model.py")
        (self.path / "read_model.py").write_text(program)

    def log_probabilities(self, *arguments):
        out = subprocess.run(["python3", "read_model.py", *map(str, arguments)], cwd=self.path, check=True,
                             capture_output=True, timeout=60).stdout.decode()
        logits = [float(line.split()[1]) for line in out.splitlines()]
        largest = max(logits)
        total = largest + math.log(sum(math.exp(logit - largest) for logit in logits))
        return [logit - total for logit in logits]

    def test_logits_of_text(self):
        self.train()
        (self.path / "line.txt").write_text("naïve cat\n")
        for precision, delta in (("float32", 1e-4), ("bfloat16", 0.02), ("int8", 0.1)):
            name = "m.safetensors"
            if precision != "float32":
                name = f"{precision}.safetensors"
                self.run_tool("quantize", "m.safetensors", "--to", precision, "-o", name)
            scored = json.loads(self.run_tool("score", name, "line.txt", "--json").stdout)["tokens"]
            for count in (1, 2, len(scored)):
                tokens = [entry["input"] for entry in scored[:count]]
                last = scored[count - 1]
                computed = self.log_probabilities(name, *tokens)[last["token"]]
                self.assertAlmostEqual(computed, last["log_probability"], delta=delta)

    def test_logits_with_side_inputs(self):
        self.run_tool("train", ROOT / "examples/tunes", "-o", "t.safetensors", "--steps", 30, "--hidden", 24,
                      "--layers", 1, "--embedding", 8, "--threads", 2)
        library = ctypes.CDLL(str(STAGE / "lib/libretto.so"))

        def call(name, *arguments):
            self.assertEqual(getattr(library, name)(*arguments), 0, name)
        model, session = ctypes.c_void_p(), ctypes.c_void_p()
        call("retto_model_load", str(self.path / "t.safetensors").encode(), ctypes.byref(model))
        size = int(json.loads(self.run_tool("info", "t.safetensors", "--json").stdout)["vocabulary"])
        # Two, the time signatures, the steps, and the notes that begin and are held.
        self.assertEqual(size, 2 + 16 + 8 * 4 + 2 * 88)
        values = (ctypes.c_float * size)()
        for bars, key, sides in ((0, 0, {"phrase": 1}),
                                 (16, 8, {"bars_to_go": 17, "phrase": 1, "key": 8, "close": 1}),
                                 (1, 22, {"bars_to_go": 2, "phrase": 1, "key": 22, "close": 11})):
            call("retto_session_create", model, None, ctypes.byref(session))
            call("retto_session_set_bars", session, bars)
            call("retto_session_set_key", session, key)
            call("retto_session_log_probabilities", session, values, ctypes.c_size_t(size))
            library.retto_session_free(session)
            arguments = [f"{name}={value}" for name, value in sides.items()]
            computed = self.log_probabilities("t.safetensors", *arguments, 0)
            for a, b in zip(computed, values, strict=True):
                self.assertAlmostEqual(a, b, delta=1e-4)
        library.retto_model_free(model)
