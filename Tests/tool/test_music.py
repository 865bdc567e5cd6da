"""Models of music."""
import json
import re
import subprocess
import sys

from support import ROOT, SMALL, TUNES, ToolTest, text


class Music(ToolTest):
    def test_the_tunes_are_what_their_script_writes(self):
        subprocess.run([sys.executable, TUNES / "make_tunes.py", "--check"], check=True, capture_output=True)

    def test_the_model_that_is_there(self):
        model = ROOT / "models/tunes.safetensors"
        info = json.loads(self.run_tool("info", model, "--json").stdout)
        self.assertEqual((info["encoding"], info["precision"]), ("polyphony", "int8"))
        self.assertLess(model.stat().st_size, 400_000)
        self.run_tool("sample", model, "-o", "tune.mid", "--seed", 1)
        self.assertEqual(json.loads(self.run_tool("midi", "info", "tune.mid", "--json").stdout)["bars"], 16)
        # It learned these tunes: it expects each of their tokens far more than one of a few hundred.
        tune = TUNES / "greensleeves.mid"
        self.assertLess(json.loads(self.run_tool("evaluate", model, tune, "--json").stdout)["nats_per_token"], 0.7)

    def test_time_signatures_that_cannot_be_learned_are_said(self):
        (self.path / "folder").mkdir()
        for name in "ode_to_joy", "frere_jacques", "clementine":
            data = (TUNES / f"{name}.mid").read_bytes()
            if name != "clementine":
                data = re.sub(rb"\xff\x58\x04..", b"\xff\x58\x04\x09\x02", data, flags=re.DOTALL)
            (self.path / "folder" / f"{name}.mid").write_bytes(data)
        done = self.run_tool("train", "folder", "-o", "t.safetensors", "--steps", 2, *SMALL)
        lines = [line for line in done.stderr.decode().splitlines() if "9/4" in line]
        self.assertEqual(len(lines), 1)
        self.assertIn("and 1 other file: the encoding cannot represent the time signature 9/4", lines[0])

    def test_train_sample_roll_evaluate(self):
        (self.path / "folder").mkdir()
        (self.path / "folder/broken.mid").write_bytes(b"MThd")
        for tune in list(TUNES.glob("*.mid"))[:15]:
            (self.path / "folder" / tune.name).write_bytes(tune.read_bytes())
        done = self.run_tool("train", "folder", "-o", "t.safetensors", "--steps", 150, "--json", *SMALL)
        self.assertIn(b"broken.mid", done.stderr)
        self.assertIn(b"1 of 16", done.stderr)
        facts = json.loads(done.stdout.splitlines()[-1])
        self.assertIsNone(facts["bits_per_character"])
        info = json.loads(self.run_tool("info", "t.safetensors", "--json").stdout)
        self.assertEqual(info["encoding"], "polyphony")
        out = self.run_tool("sample", "t.safetensors", "-o", "a.mid", "--bars", 8, "--time-signature", "3/4", "--key", "D",
                            "--seed", 4, "--tempo", 90).stdout.decode()
        self.assertTrue(out)
        self.run_tool("sample", "t.safetensors", "-o", "b.mid", "--bars", 8, "--time-signature", "3/4", "--key", "D",
                      "--seed", 4, "--tempo", 90)
        self.assertEqual((self.path / "a.mid").read_bytes(), (self.path / "b.mid").read_bytes())
        facts = json.loads(self.run_tool("midi", "info", "a.mid", "--json").stdout)
        self.assertEqual(facts["bars"], 8)
        rows = self.run_tool("midi", "notes", "a.mid").stdout.decode().splitlines()
        self.assertEqual(rows[0], "start_tick,duration_ticks,channel,pitch,velocity")
        notes = [list(map(int, row.split(","))) for row in rows[1:]]
        self.assertEqual(notes, sorted(notes, key=lambda n: (n[0], n[2], n[3])))
        for start, duration, _, pitch, _ in notes:
            self.assertIn(pitch % 12, {2, 4, 6, 7, 9, 11, 1})
            self.assertLessEqual(start + duration, 8 * 3 * 480)
        self.run_tool("roll", "a.mid", "-o", "a.svg")
        self.assertIn("</svg>", (self.path / "a.svg").read_text())
        evaluation = json.loads(self.run_tool("evaluate", "t.safetensors", TUNES / "greensleeves.mid", "--json").stdout)
        score = json.loads(self.run_tool("score", "t.safetensors", TUNES / "greensleeves.mid", "--json").stdout)["tokens"]
        total = -sum(t["log_probability"] for t in score)
        self.assertEqual(sum(t["text"].startswith("STEP") for t in score), evaluation["steps"])
        self.assertAlmostEqual(total / evaluation["steps"], evaluation["nats_per_step"], places=6)
        primed = self.run_tool("sample", "t.safetensors", "-o", "p.mid", "--prime", TUNES / "frere_jacques.mid", "--seed", 1)
        self.assertTrue(primed.stdout)

    def test_music_and_text_do_not_mix(self):
        self.run_tool("train", TUNES, "--encoding", "characters", "-o", "x.safetensors", code=2)
        self.run_tool("train", "corpus.txt", "--encoding", "melody", "-o", "x.safetensors", code=2)
        self.train()
        self.run_tool("sample", "m.safetensors", "--bars", 4, code=64)
        self.run_tool("evaluate", "m.safetensors", TUNES / "nowhere.mid", code=2)
