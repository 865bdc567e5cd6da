"""What `train` and `quantize` say, refuse and keep."""
import json
import re
import shlex

from support import ROOT, SMALL, TUNES, ToolTest, text


class Names(ToolTest):
    def test_no_result_is_hidden(self):
        folder = self.path / "tunes"
        folder.mkdir()
        for tune in sorted(TUNES.glob("*.mid"))[:3]:
            (folder / tune.name).write_bytes(tune.read_bytes())
        (folder / ".hidden.txt").write_bytes(text())
        inside = {"tunes.safetensors", "tunes.checkpoint.safetensors"}
        for name in (".", "./", "../tunes", "./."):
            done = self.run_tool("train", name, "--steps", 1, *SMALL, "--force", cwd=folder)
            self.assertIn(b"tunes.safetensors", done.stdout)
        self.run_tool("train", ".hidden.txt", "--steps", 1, *SMALL, cwd=folder)
        made = {path.name for path in folder.iterdir() if "safetensors" in path.name}
        self.assertEqual(made, inside | {"hidden.safetensors", "hidden.checkpoint.safetensors"})


    def test_commands_to_copy_work_in_a_shell(self):
        corpus = self.path / "it's a text.txt"
        corpus.write_bytes(text())
        said = self.run_tool("train", corpus, "--steps", 1, *SMALL).stdout.decode()
        command = said.split("To sample from it: libretto ")[1].strip()
        self.assertEqual(shlex.split(command), ["sample", "it's a text.safetensors"])
        (self.path / "it's a text.checkpoint.safetensors").unlink()
        said = self.run_tool("train", "--resume", "it's a text.safetensors", code=2).stderr.decode()
        self.assertIn("it's a text.safetensors", shlex.split(said.split("libretto train ")[1]))


class Replacing(ToolTest):
    def test_a_model_is_not_written_over(self):
        self.train()
        before = {path: path.read_bytes() for path in self.path.iterdir()}
        year = r"written \d{4}-\d\d-\d\d \d\d:\d\d"
        self.expect(64, "--resume", "train", "corpus.txt", "-o", "m.safetensors")
        for command in (["train", "corpus.txt", "-o", "m.safetensors", "--steps", 3, *SMALL],
                        ["quantize", ROOT / "models/tunes.safetensors", "-o", "m.safetensors"]):
            self.expect(64, "--force", *command)
            said = self.run_tool(*command, code=64).stderr.decode()
            self.assertRegex(said, rf"m\.safetensors exists.*characters, 60 steps, validation loss \d\.\d+ nats.*{year}")
        # Nor is another file, nor a checkpoint whose model has gone.
        (self.path / "notes").write_bytes(b"all there is")
        self.expect(64, "not a model", "train", "corpus.txt", "-o", "notes")
        self.expect(64, "not a model", "quantize", "m.safetensors", "-o", "notes")
        (self.path / "notes").unlink()
        (self.path / "m.safetensors").rename(self.path / "gone")
        self.expect(64, "m.checkpoint.safetensors exists", "train", "corpus.txt", "-o", "m.safetensors")
        # A run that is resumed writes its own files again, and no others.
        self.expect(64, "gone exists", "train", "--resume", "m.checkpoint.safetensors", "-o", "gone")
        (self.path / "gone").rename(self.path / "m.safetensors")
        self.assertEqual(before, {path: path.read_bytes() for path in self.path.iterdir()})
        self.run_tool("train", "--resume", "m.safetensors")
        self.train("--force", "--seed", 2)
        self.run_tool("quantize", "m.safetensors", "-o", "m8.safetensors")
        self.run_tool("quantize", "m.safetensors", "-o", "m8.safetensors", "--force")
        self.assertNotEqual(before[self.path / "m.safetensors"], (self.path / "m.safetensors").read_bytes())


class Resuming(ToolTest):
    def test_by_the_model_or_the_checkpoint(self):
        self.train()
        model = (self.path / "m.safetensors").read_bytes()
        for name in ("m.safetensors", "m.checkpoint.safetensors"):
            said = self.run_tool("train", "--resume", name).stdout.decode()
            self.assertIn("Nothing to do", said)
            self.assertIn("60 steps", said)
            self.assertIn("--steps 120", said)
            self.assertEqual((self.path / "m.safetensors").read_bytes(), model)
        (self.path / "moved").write_bytes((self.path / "m.checkpoint.safetensors").read_bytes())
        self.run_tool("train", "--resume", "moved", "-o", "new.safetensors", "--steps", 70)
        self.expect(64, "-o", "train", "--resume", "moved")
        (self.path / "m.checkpoint.safetensors").unlink()
        self.expect(2, "--from m.safetensors", "train", "--resume", "m.safetensors")
        for name in ("m.checkpoint.safetensors", "nowhere.safetensors", "nowhere.checkpoint.safetensors", "corpus.txt"):
            self.expect(2, "does not exist", "train", "--resume", name)

    def test_with_the_options_it_was_started_with(self):
        given = ["--dropout", 0.1, "--learning-rate", 0.003, "--seed", 3, "--weight-decay", 0.02, "--clip", 2,
                 "--encoding", "bytes", "--valid", 0.2, "--patience", 5]
        self.train(*given)
        self.train(*given, "--resume")
        for option in (["--hidden", 25], ["--layers", 1], ["--embedding", 9], ["--batch", 9], ["--sequence", 17],
                       ["--dropout", 0], ["--learning-rate", 0.1], ["--seed", 4], ["--weight-decay", 0], ["--clip", 1],
                       ["--encoding", "characters"], ["--valid", 0.1], ["--augment"]):
            self.expect(64, "the run to resume has", "train", "--resume", "m.safetensors", *option)

    def test_a_run_that_lost_patience(self):
        said = self.run_tool("train", "corpus.txt", "-o", "m.safetensors", "--steps", 2000, "--learning-rate", 0.5,
                             "--patience", 1, *SMALL).stdout.decode()
        self.assertIn("Ended early", said)
        self.assertIn("--patience 0", self.run_tool("train", "--resume", "m.safetensors").stdout.decode())

    def test_the_plot_shows_the_whole_run(self):
        def steps(name):
            """Of each line of the plot: its places on the axis of steps."""
            lines = re.findall(r'<polyline points="([^"]*)"', (self.path / name).read_text())
            return [[float(point.split(",")[0]) for point in line.split()] for line in lines]
        self.run_tool("train", "corpus.txt", "-o", "a.safetensors", "--steps", 700, "--plot", "a.svg", *SMALL)
        self.run_tool("train", "corpus.txt", "-o", "b.safetensors", "--steps", 300, *SMALL)
        self.run_tool("train", "--resume", "b.safetensors", "--steps", 700, "--plot", "b.svg")
        self.assertEqual(steps("a.svg")[0], steps("b.svg")[0])
        self.assertGreater(len(steps("b.svg")[0]), 100)
        self.assertLess(len(steps("b.svg")[0]), 513)
        self.assertLess(steps("b.svg")[1][0], 200)


class Chosen(ToolTest):
    def test_it_says_what_it_chose_and_why(self):
        said = self.run_tool("train", "corpus.txt", "-o", "m.safetensors", "--steps", 3, "--hidden", 24).stdout.decode()
        self.assertRegex(said, r"Encoding: characters, the default for text; a vocabulary of \d+ tokens")
        self.assertRegex(said, r"Network: 1 layer of 24 units, embedding 64; layers, embedding chosen for \d+,\d+ tokens")
        self.assertRegex(said, r"learning rate 0\.008, dropout 0\.2")
        self.assertIn("Ends after 3 steps", said)
        said = self.run_tool("train", "corpus.txt", "-o", "n.safetensors", "--steps", 3, "--from", "m.safetensors").stdout.decode()
        self.assertIn("the model to start from", said)
        self.assertNotIn("chosen", said)
        done = self.run_tool("train", TUNES, "-o", "t.safetensors", "--steps", 2, "--json", *SMALL).stdout.decode()
        self.assertRegex(done, r"Encoding: polyphony, chosen: \d+ files have chords")
        self.assertEqual(json.loads(done.splitlines()[-1])["encoding"], "polyphony")
