"""Labels and pairs: train, sample, classify and translate; and what is none of them."""
import json
import random
import unittest

from support import ToolTest

HIGH = ["abcab", "bcabc", "cabca", "abcbc", "bcaab"]
LOW = ["xyzxy", "yzxyz", "zxyzx", "xyzyz", "yzxxy"]
QUICK = ["--hidden", "32", "--layers", "1", "--embedding", "16", "--dropout", "0", "--learning-rate", "0.02", "--threads",
         "1", "--patience", "0"]


class KindTest(ToolTest):
    def file(self, name, content):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def said(self, *arguments, data=None):
        return self.run_tool(*arguments, data=data and data.encode()).stdout.decode()

    def refuse(self, word, *arguments):
        """Wrong input: exit code 2 or 64, and a sentence with the word."""
        try:
            self.expect(64, word, *arguments)
        except AssertionError:
            self.expect(2, word, *arguments)


class Labels(KindTest):
    def setUp(self):
        super().setUp()
        for name, words in (("high", HIGH), ("low", LOW)):
            self.file(f"{name}.txt", "\n".join(words * 12) + "\n")

    def learn(self, *more, steps=300):
        return self.run_tool("train", "high.txt", "low.txt", "--lines", "--label-from", "name", "-o", "m.safetensors",
                             "--encoding", "characters", "--steps", steps, *QUICK, *more)

    def test_train_sample_and_classify(self):
        self.learn()
        for label, letters in (("high", "abc"), ("low", "xyz")):
            said = self.said("sample", "m.safetensors", "--label", label, "--seed", "1", "--length", "100")
            said = said.strip()
            self.assertGreater(sum(c in letters for c in said), 0.9 * len(said), said)
        # A mixture of both, by weight.
        both = self.run_tool("sample", "m.safetensors", "--label", "high:3,low:1", "--seed", "2", "--length", "10")
        self.assertTrue(both.stdout.strip())
        found = self.said("classify", "m.safetensors", "high.txt", "low.txt", "--lines", "--label-from", "name",
                              "--matrix", "matrix.svg")
        self.assertIn("120 of 120 right (100.0 %)", found)
        self.assertRegex(found, r"(?m)^high.txt:1  high 0\.\d+, low 0\.\d+$")
        self.assertRegex(found, r"(?m)^low +0 +60$")
        svg = (self.path / "matrix.svg").read_text()
        self.assertIn("100.0 % of 120 right", svg)
        self.assertIn("low taken for high: 0", svg)
        lines = self.said("classify", "m.safetensors", "low.txt", "--lines", "--json").splitlines()
        first = json.loads(lines[0])
        self.assertEqual((first["name"], first["label"], first["true_label"]), ("low.txt:1", "low", None))
        self.assertAlmostEqual(sum(first["probabilities"].values()), 1)

    def test_labels_from_folders_and_tables(self):
        for label, words in (("A b", HIGH), ("c", LOW)):
            for i, word in enumerate(words):
                self.file(f"all/{label}/{i}.txt", word * 20)
        self.run_tool("train", "all", "--label-from", "folder", "-o", "m.safetensors", "--steps", "5", *QUICK)
        names = self.said("info", "m.safetensors")
        self.assertIn("A b", names)
        self.file("table.csv", '"all/A b/0.txt",one\nall/c/0.txt,"two, quoted ""so"""\nelsewhere.txt,three\n')
        done = self.run_tool("train", "all", "--label-from", "table.csv", "-o", "n.safetensors", "--steps", "5", *QUICK)
        self.assertIn("8 of 10 files have no label", done.stderr.decode())
        info = json.loads(self.said("info", "n.safetensors", "--json"))
        self.assertEqual(info["labels"], ["one", 'two, quoted "so"'])

    def test_a_run_is_resumed_with_its_labels(self):
        self.learn(steps=150)
        self.run_tool("train", "--resume", "m.safetensors", "--steps", "300")
        found = self.said("classify", "m.safetensors", "high.txt", "low.txt", "--lines", "--label-from", "name",
                              "--quiet")
        self.assertIn("120 of 120 right", found)

    def test_what_is_refused(self):
        self.train(output="plain.safetensors")
        self.refuse("--label-from is table.txt", "train", "high.txt", "--label-from", "table.txt", "-o", "m.safetensors")
        self.file("bad.csv", "a line without a comma\n")
        self.refuse("no comma", "train", "high.txt", "--label-from", "bad.csv", "-o", "m.safetensors")
        self.refuse("--joined", "train", "high.txt", "low.txt", "--joined", "--lines", "-o", "m.safetensors")
        self.refuse("has no labels", "classify", "plain.safetensors", "high.txt")
        self.refuse("has no labels", "sample", "plain.safetensors", "--label", "x")
        self.learn()
        self.refuse('no label "other"', "sample", "m.safetensors", "--label", "other")
        self.refuse("weight", "sample", "m.safetensors", "--label", "high:x,low:1")
        self.refuse("--label-from", "classify", "m.safetensors", "high.txt", "--matrix", "a.svg")
        done = self.run_tool("classify", "m.safetensors", "high.txt", "--label-from", "folder", "--quiet")
        self.assertIn("the model has no label", done.stderr.decode())


class Pairs(KindTest):
    PAIRS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "nine": "9", "ten": "1 0"}

    def setUp(self):
        super().setUp()
        rows = list(self.PAIRS.items()) * 12
        random.Random(1).shuffle(rows)
        self.file("pairs.tsv", "".join(f"{a}\t{b}\n" for a, b in rows))

    def test_train_and_translate(self):
        self.run_tool("train", "pairs.tsv", "--pairs", "-o", "m.safetensors", "--steps", "300", *QUICK)
        said = self.said("translate", "m.safetensors", data="three\nten\n\nfive\n")
        self.assertEqual(said, "3\n1 0\n\n5\n")
        # Lines of other systems are lines too.
        self.assertEqual(self.said("translate", "m.safetensors", data="three\r\nfive\r\n"), "3\n5\n")
        best = self.said("translate", "m.safetensors", "--best", "2", data="two\n").splitlines()
        self.assertEqual(len(best), 2)
        self.assertRegex(best[0], r"^-0\.\d+\t2$")
        drawn = self.said("translate", "m.safetensors", "--temperature", "0", data="nine\n")
        self.assertEqual(drawn, "9\n")
        record = json.loads(self.said("translate", "m.safetensors", "--json", data="one\n"))
        self.assertEqual(record["targets"][0]["text"], "1")
        # Of several targets of a source any is right.
        self.file("test.tsv", "one\t1\none\tuno\nfour\tfor\n")
        test = json.loads(self.said("translate", "m.safetensors", "test.tsv", "--test", "--json"))
        self.assertEqual((test["answers"], test["wrong"]), (2, 1))
        self.assertIn("1 of 2 answers are wrong (50.00 %)",
                      self.said("translate", "m.safetensors", "test.tsv", "--test"))

    def test_what_is_refused(self):
        self.train(output="plain.safetensors")
        self.file("no.tsv", "a\tb\nno tab here\n")
        self.refuse("line 2: there is no tab", "train", "no.tsv", "--pairs", "-o", "m.safetensors")
        self.assertFalse((self.path / "m.safetensors").exists())
        self.refuse("--lines", "train", "pairs.tsv", "--pairs", "--lines", "-o", "m.safetensors")
        self.refuse("not trained on pairs", "translate", "plain.safetensors", "pairs.tsv")
        self.run_tool("train", "pairs.tsv", "--pairs", "-o", "m.safetensors", "--steps", "3", *QUICK)
        self.refuse("line 1 holds a tab", "translate", "m.safetensors", "pairs.tsv")
        self.file("sources.txt", "one\n")
        self.refuse("there is no tab", "translate", "m.safetensors", "sources.txt", "--test")
        self.refuse("--best is 9", "translate", "m.safetensors", "sources.txt", "--best", "9")


if __name__ == "__main__":
    unittest.main()
