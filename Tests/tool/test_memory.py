"""The memory at the tool: what evaluate and score say of it, and how much sample repeats."""
import json

from support import ToolTest


class Memory(ToolTest):
    def setUp(self):
        super().setUp()
        # Lines that come twice: what returns can be learned in a few hundred steps.
        corpus = "".join(f"{i * 7919 % 9973:05}{i * 104729 % 99991:06}\n" * 2 for i in range(3000))
        (self.path / "corpus.txt").write_text(corpus)
        self.run_tool("train", "corpus.txt", "-o", "m.safetensors", "--steps", 500, "--hidden", 48, "--layers", 1,
                      "--embedding", 16, "--batch", 16, "--sequence", 24, "--learning-rate", 0.01, "--encoding", "bytes")
        (self.path / "held.txt").write_text(corpus[-4000:])

    def test_evaluate_and_score_say_both_losses(self):
        said = json.loads(self.run_tool("evaluate", "m.safetensors", "held.txt", "--json").stdout)
        self.assertLess(said["nats_per_token"], 0.8 * said["nats_per_token_without_memory"])
        lines = self.run_tool("evaluate", "m.safetensors", "held.txt").stdout.decode()
        self.assertEqual(lines.count("without memory"), 2)
        self.assertIn("without the memory", self.run_tool("score", "m.safetensors", "held.txt").stdout.decode())

    def test_strength(self):
        def repeats(strength):
            total = 0
            for seed in range(8):
                done = self.run_tool("sample", "m.safetensors", "--prompt", "31415926535\n31415", "--length", 6, "--seed",
                                     seed, "--memory", strength).stdout.decode()
                total += done.startswith("31415926535\n31415926535")
            return total

        self.assertLess(repeats(0), repeats(8))
        self.expect(64, "--memory", "sample", "m.safetensors", "--memory", "-1")

    def test_a_model_without_one(self):
        self.run_tool("train", "corpus.txt", "-o", "n.safetensors", "--steps", 5, "--hidden", 8, "--no-memory")
        self.expect(64, "has none", "sample", "n.safetensors", "--memory", 2)
        self.assertNotIn("memory", self.run_tool("evaluate", "n.safetensors", "held.txt").stdout.decode())
        said = json.loads(self.run_tool("evaluate", "n.safetensors", "held.txt", "--json").stdout)
        self.assertIsNone(said["nats_per_token_without_memory"])
