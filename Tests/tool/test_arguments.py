"""Options and their values, on every command, written right and wrong."""
import json
import subprocess

from support import ROOT, TOOL, TUNES, ToolTest

MODEL = ROOT / "models/tunes.safetensors"


def commands(command, path=()):
    """Every command that does something itself, with its options as the tool describes them."""
    if command.get("subcommands"):
        for inner in command["subcommands"]:
            if inner["commandName"] != "help":
                yield from commands(inner, (*path, inner["commandName"]))
    else:
        yield path, [a for a in command.get("arguments", []) if a["kind"] != "positional"]


class Arguments(ToolTest):
    described = json.loads(subprocess.run([TOOL, "--experimental-dump-help"], capture_output=True).stdout)["command"]

    def every_option(self):
        for path, options in commands(self.described):
            for option in options:
                if option["kind"] == "option":
                    yield path, "--" + [n["name"] for n in option["names"] if n["kind"] == "long"][0], option

    def test_every_option_takes_a_value_with_a_dash(self):
        """Whatever is said of the value, it was read as the value."""
        for path, name, _ in self.every_option():
            for words in ([name, "-1"], [name, "- milk"], [f"{name}=-x"]):
                done = subprocess.run([TOOL, *path, "nowhere", *words], cwd=self.path, capture_output=True, timeout=60)
                self.assertNotEqual(done.returncode, 0, (path, words))
                for refusal in (b"needs a value", b"nknown option", b"Missing value"):
                    self.assertNotIn(refusal, done.stderr, (path, words))

    def test_every_option_is_refused_twice_and_without_a_value(self):
        for path, name, option in self.every_option():
            self.expect(64, f"{name} needs a value", *path, "nowhere", name)
            self.expect(64, f"{name} needs a value", *path, "nowhere", name, "--help")
            self.expect(64, f"write {name}=--other", *path, "nowhere", name, "--other")
            if not option["isRepeating"]:
                self.expect(64, f"{name} is given twice, as '1' and as '2'", *path, "nowhere", name, "1", name, "2")

    def test_every_number_has_a_range_that_is_said(self):
        for path, name, _ in self.every_option():
            for value in ("nan", "99999999999999999999", ""):
                done = subprocess.run([TOOL, *path, "nowhere", f"{name}={value}" if value else name, *([] if value else [""])],
                                      cwd=self.path, capture_output=True, timeout=60)
                said = done.stderr.decode()
                self.assertIn(done.returncode, (2, 64), (path, name, value, said))
                if "is invalid for" in said:
                    self.assertRegex(said, r"expected .*(from .* to |above .* at most | or )", (path, name, value))

    def test_what_was_meant(self):
        for words, meant in [
            (["trian"], "train"), (["evalute"], "evaluate"), (["quantise"], "quantize"), (["midi", "note"], "notes"),
            (["help", "smaple"], "sample"), (["bench", "tarin"], "train"),
            (["train", "--lr", "3"], "--learning-rate"), (["train", "--learning_rate", "3"], "--learning-rate"),
            (["train", "--batch-size", "3"], "--batch"), (["train", "--num-layers", "3"], "--layers"),
            (["train", "--epoch", "3"], "--epochs"), (["train", "-output", "x"], "--output"), (["train", "-ox"], "-o x"),
            (["sample", "--temp", "1"], "--temperature"), (["sample", "--lenght", "1"], "--length"),
            (["sample", "--topk", "1"], "--top-k"), (["sample", "--top_p", "1"], "--top-p"), (["info", "--jsno"], "--json"),
        ]:
            self.expect(64, "did you mean", *words)
            self.assertIn(meant, self.run_tool(*words, code=64).stderr.decode(), words)
        self.expect(64, "there are train, sample", "xyzzy")
        self.expect(64, "unknown option '--xyzzy'\n", "train", "--xyzzy")
        self.expect(64, "after the command info", "--json", "info", MODEL)
        self.expect(64, "libretto train corpus.txt", "corpus.txt")
        self.expect(64, "exclude each other", "train", "corpus.txt", "--augment", "--no-augment")
        (self.path / "-x").write_bytes(b"text")
        self.expect(64, "./-x", "score", MODEL, "-x")

    def test_names_that_are_empty_or_of_folders(self):
        (self.path / "folder").mkdir()
        for command in (["info"], ["evaluate", MODEL], ["score", MODEL], ["midi", "info"], ["roll"], ["sample"],
                        ["train"], ["quantize", "-o", "new"], ["train", "corpus.txt", "--from"], ["train", "corpus.txt", "--valid"],
                        ["sample", MODEL, "--prime"]):
            self.expect(64, "empty", *command, "")
            if command[0] not in ("train", "evaluate", "score"):
                self.expect(2, "is a directory", *command, "folder")

    def test_what_is_no_model(self):
        (self.path / "empty").write_bytes(b"")
        for command in (["info"], ["sample"], ["evaluate"], ["score"], ["quantize", "-o", "new"]):
            more = ["corpus.txt"] if command[0] in ("evaluate", "score") else []
            self.expect(2, "corpus.txt is text, not a model", *command, "corpus.txt", *more)
            self.expect(2, "libretto train", *command, TUNES / "greensleeves.mid", *more)
            self.expect(2, "empty is not a model", *command, "empty", *more)
