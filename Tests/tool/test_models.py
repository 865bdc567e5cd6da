"""Models by name: which one a name leads to, what `models` lists, and what no name leads to."""
import json

from support import ToolTest


class Models(ToolTest):
    def setUp(self):
        super().setUp()
        self.train()
        (self.path / "shelf").mkdir()
        self.run_tool("quantize", "m.safetensors", "-o", "shelf/cats.safetensors", "--about", "cats on mats")
        (self.path / "shelf/run.checkpoint.safetensors").write_bytes(b"")
        (self.path / "shelf/broken.safetensors").write_bytes(b"not a model")

    def on_the_shelf(self, *arguments, **options):
        return self.run_tool(*arguments, LIBRETTO_MODELS=str(self.path / "shelf"), **options)

    def test_a_name_is_as_good_as_a_file(self):
        by_file = self.run_tool("sample", "shelf/cats.safetensors", "--seed", 1, "--length", 40).stdout
        self.assertEqual(self.on_the_shelf("sample", "cats", "--seed", 1, "--length", 40).stdout, by_file)
        for command in (["info", "cats"], ["evaluate", "cats", "corpus.txt"], ["score", "cats", "corpus.txt"],
                        ["quantize", "cats", "-o", "again.safetensors"],
                        ["train", "corpus.txt", "--from", "cats", "-o", "n.safetensors", "--steps", 1]):
            self.on_the_shelf(*command)
        self.assertIn(b"cats on mats", self.on_the_shelf("info", "again.safetensors").stdout)

    def test_a_file_of_that_name_comes_first(self):
        (self.path / "cats").write_bytes((self.path / "m.safetensors").read_bytes())
        said = json.loads(self.on_the_shelf("info", "cats", "--json").stdout)
        self.assertEqual(said["precision"], "float32")

    def test_the_list(self):
        lines = self.on_the_shelf("models").stdout.decode().splitlines()
        named = {line.split()[0]: line for line in lines}
        self.assertIn("cats on mats", named["cats"])
        self.assertIn("cannot be read", named["broken"])
        self.assertIn("tunes", named)
        self.assertFalse(any("checkpoint" in line for line in lines))
        said = {model["name"]: model for model in json.loads(self.on_the_shelf("models", "--json").stdout)}
        self.assertEqual(said["cats"]["precision"], "int8")
        self.assertEqual(said["cats"]["about"], "cats on mats")
        self.assertIsNone(said["broken"]["encoding"])

    def test_what_comes_with_it_can_be_used(self):
        for model in json.loads(self.run_tool("models", "--json").stdout):
            self.assertTrue(model["about"], model)
            more = ["--length", 60] if model["encoding"] in ("characters", "bytes") else ["-o", "it.mid", "--bars", 2]
            if model["encoding"] == "performance":
                more = ["-o", "it.mid", "--seconds", 5]
            self.run_tool("sample", model["name"], "--seed", 1, *more)

    def test_what_leads_nowhere(self):
        self.expect(2, "no model named nothing", "sample", "nothing")
        self.expect(2, "shelf/nothing", "sample", "shelf/nothing")
        self.expect(2, "broken", "sample", "broken", LIBRETTO_MODELS=str(self.path / "shelf"))


class Adapting(ToolTest):
    def test_what_it_reads_it_predicts_better(self):
        self.train()
        other = " ".join(f"{word} ran to the dog and" for word in ["cat", "mat", "dog"] * 200)
        (self.path / "other.txt").write_text(other)
        said = json.loads(self.run_tool("evaluate", "m.safetensors", "other.txt", "--adapt", "--json").stdout)
        self.assertLess(said["nats_per_token_adapted"], 0.9 * said["nats_per_token"])
        lines = self.run_tool("evaluate", "m.safetensors", "other.txt", "--adapt").stdout.decode()
        self.assertEqual(lines.count("adapted"), 2)
        without = json.loads(self.run_tool("evaluate", "m.safetensors", "other.txt", "--json").stdout)
        self.assertIsNone(without["nats_per_token_adapted"])
        self.assertEqual(without["nats_per_token"], said["nats_per_token"])
