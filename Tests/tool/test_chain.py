"""From a text to a model and what is done with it."""
import json
import os
import subprocess

from support import SMALL, TOOL, ToolTest, text


class Chain(ToolTest):
    def test_train_sample_evaluate_score_info(self):
        last = self.train("--json", "--plot", "loss.svg", "--valid", "0.1").stdout.decode().splitlines()[-1]
        facts = json.loads(last)
        for key in ("bits_per_character", "nats_per_token", "tokens", "parameters", "tokens_per_second"):
            self.assertGreater(facts[key], 0, key)
        self.assertIn("<svg", (self.path / "loss.svg").read_text())
        corpus = (self.path / "corpus.txt").read_bytes()
        cut = len(corpus) - len(corpus) // 10
        while corpus[cut] & 0xC0 == 0x80:
            cut += 1
        (self.path / "held.txt").write_bytes(corpus[cut:])
        evaluation = json.loads(self.run_tool("evaluate", "m.safetensors", "held.txt", "--json").stdout)
        # What training measured is the same part, read by several streams.
        self.assertAlmostEqual(evaluation["bits_per_character"], facts["bits_per_character"], delta=0.1)
        score = json.loads(self.run_tool("score", "m.safetensors", "held.txt", "--json").stdout)["tokens"]
        self.assertEqual(len(score), evaluation["tokens"])
        self.assertAlmostEqual(-sum(t["log_probability"] for t in score) / len(score), evaluation["nats_per_token"], places=6)
        for before, after in zip(score, score[1:]):
            self.assertEqual(before["token"], after["input"])
        info = json.loads(self.run_tool("info", "m.safetensors", "--json").stdout)
        self.assertEqual((info["hidden"], info["layers"], info["parameters"]), (24, 2, facts["parameters"]))
        self.assertIn("gru layer 1", self.run_tool("info", "m.safetensors").stdout.decode())
        self.assertIn("surprising", self.run_tool("score", "m.safetensors", "held.txt").stdout.decode())

    def test_quantize(self):
        self.train()
        figures = {}
        for precision in ("float32", "bfloat16", "int8"):
            name = f"{precision}.safetensors"
            if precision == "float32":
                (self.path / name).write_bytes((self.path / "m.safetensors").read_bytes())
            else:
                said = self.run_tool("quantize", "m.safetensors", "--to", precision, "-o", name).stdout.decode()
                self.assertIn(precision, said)
            figures[precision] = json.loads(self.run_tool("evaluate", name, "corpus.txt", "--json").stdout)["nats_per_token"]
            self.assertEqual(json.loads(self.run_tool("info", name, "--json").stdout)["precision"], precision)
            self.assertTrue(self.run_tool("sample", name, "--length", 20, "--seed", 1).stdout)
        self.assertAlmostEqual(figures["bfloat16"], figures["float32"], delta=0.005 * figures["float32"])
        self.assertAlmostEqual(figures["int8"], figures["float32"], delta=0.01 * figures["float32"])
        self.assertNotEqual(figures["int8"], figures["float32"])
        size = lambda name: (self.path / name).stat().st_size
        self.assertLess(size("int8.safetensors"), size("bfloat16.safetensors"))
        self.assertLess(size("bfloat16.safetensors"), size("float32.safetensors"))
        # A rounded model is one to train on from, in float32.
        self.run_tool("train", "corpus.txt", "--from", "int8.safetensors", "-o", "on.safetensors", "--steps", 5)
        self.assertEqual(json.loads(self.run_tool("info", "on.safetensors", "--json").stdout)["precision"], "float32")

    def test_same_seed_same_model_and_text(self):
        self.train("--seed", 5, output="a.safetensors")
        self.train("--seed", 5, output="b.safetensors")
        self.train("--seed", 6, output="c.safetensors")
        a, b, c = ((self.path / f"{n}.safetensors").read_bytes() for n in "abc")
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)
        once = self.run_tool("sample", "a.safetensors", "--seed", 3, "--length", 300).stdout
        self.assertEqual(once, self.run_tool("sample", "a.safetensors", "--seed", 3, "--length", 300).stdout)
        self.assertEqual(len(once.decode()), 301)

    def test_prompt_stop_and_sampler(self):
        self.train()
        out = self.run_tool("sample", "m.safetensors", "--prompt", "Ünseen ∅ ", "--length", 50, "--seed", 1,
                            "--temperature", 1.2, "--top-k", 20, "--top-p", 0.9, "--min-p", 0.01,
                            "--repetition-penalty", 1.1).stdout.decode()
        self.assertTrue(out.startswith("Ünseen ∅ "))
        whole = self.run_tool("sample", "m.safetensors", "--length", 400, "--seed", 2).stdout.decode()
        stop = whole[200:203]
        cut = self.run_tool("sample", "m.safetensors", "--length", 400, "--seed", 2, "--stop", stop).stdout.decode()
        self.assertEqual(cut, whole[:whole.index(stop)] + "\n")

    def test_standard_input_and_from(self):
        self.run_tool("train", "-", "-o", "in.safetensors", "--steps", 20, *SMALL, data=text())
        self.run_tool("train", "corpus.txt", "--valid", "-", "--steps", 2, *SMALL, data=text(seed=2))
        self.assertEqual(self.run_tool("train", "--help").stdout.count(b"standard input"), 2)
        self.run_tool("train", "corpus.txt", "--from", "in.safetensors", "-o", "on.safetensors", "--steps", 20)
        info = json.loads(self.run_tool("info", "on.safetensors", "--json").stdout)
        self.assertEqual(info["hidden"], 24)

    def test_threads_are_those_it_may_use(self):
        one = min(os.sched_getaffinity(0))
        done = subprocess.run(
            [TOOL, "train", "corpus.txt", "-o", "m.safetensors", "--steps", "1", "--hidden", "24"],
            cwd=self.path, capture_output=True, text=True, timeout=120,
            preexec_fn=lambda: os.sched_setaffinity(0, {one}))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(" 1 thread.", done.stdout + done.stderr)

    def test_the_default_name(self):
        self.run_tool("train", "corpus.txt", "--steps", 5, *SMALL)
        self.assertTrue((self.path / "corpus.safetensors").exists())
