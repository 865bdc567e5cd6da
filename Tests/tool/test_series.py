"""Numbers: train on CSV, forecast, evaluate, score; and files that are wrong."""
import csv
import io
import json
import math
import unittest

from support import ToolTest

QUICK = ["--hidden", "32", "--layers", "1", "--embedding", "16", "--dropout", "0", "--learning-rate", "0.02", "--threads",
         "1", "--patience", "0", "--steps", "200", "--batch", "8", "--sequence", "64"]


def wave(row):
    return math.sin(2 * math.pi * row / 8) + 0.02 * (row * 7919 % 13 - 6)


class Series(ToolTest):
    def file(self, name, content):
        (self.path / name).write_text(content)

    def said(self, *arguments, data=None):
        return self.run_tool(*arguments, data=data and data.encode()).stdout.decode()

    def table(self, first, last):
        lines = [f"2016-07-{1 + row // 24:02d} {row % 24:02d}:00,{wave(row):.6f},{5000 - 1000 * wave(row):.3f}"
                 for row in range(first, last)]
        return "\n".join(["time,small,large", *lines]) + "\n"

    def learn(self, *more):
        self.file("past.csv", self.table(0, 400))
        return self.said("train", "past.csv", "-o", "m.safetensors", *QUICK, *more)

    def test_train_forecast_evaluate_and_score(self):
        said = self.learn()
        self.assertIn("Encoding: series, with a season of 8 values and a context of 32", said)
        self.assertIn("800 values" if "800 values" in said else "720 values", said)
        self.assertIn("columns: small, large\nseason 8, context 32, 3600s", self.said("info", "m.safetensors"))
        # A forecast follows the wave, at the times that follow.
        rows = list(csv.DictReader(io.StringIO(self.said("forecast", "m.safetensors", "past.csv", "--horizon", "16",
                                                         "--plot", "fan.svg"))))
        self.assertEqual(len(rows), 32)
        self.assertEqual(rows[0]["time"], "2016-07-17 16:00:00")
        for row, (line, column) in enumerate([(i, c) for c in ("small", "large") for i in range(16)]):
            truth = wave(400 + line) if column == "small" else 5000 - 1000 * wave(400 + line)
            self.assertEqual(rows[row]["column"], column)
            size = 1 if column == "small" else 1000
            self.assertLess(abs(float(rows[row]["mean"]) - truth), 0.4 * size, (line, column))
            self.assertLessEqual(float(rows[row]["quantile 0.1"]), float(rows[row]["quantile 0.9"]))
        self.assertIn("</svg>", (self.path / "fan.svg").read_text())
        found = json.loads(self.said("forecast", "m.safetensors", "-", "--horizon", "3", "--columns", "large",
                                     "--quantiles", "0,1", "--json", data=self.table(0, 100)))
        self.assertEqual([c["name"] for c in found["columns"]], ["large"])
        self.assertEqual(set(found["columns"][0]["values"][0]["quantiles"]), {"0", "1"})
        # It beats the season before on what it has not seen.
        self.file("later.csv", self.table(400, 600))
        result = json.loads(self.said("evaluate", "m.safetensors", "later.csv", "--horizon", "8", "--json"))
        self.assertLess(result["model"]["mean_squared_error"], 0.1)
        self.assertEqual(result["baseline"], "season before")
        self.assertIn("mean squared error", self.said("evaluate", "m.safetensors", "later.csv", "--every", "50"))
        # A value that does not belong is found, by its time.
        lines = self.table(400, 600).splitlines()
        lines[101] = lines[101].split(",")[0] + ",4,5000"
        self.file("odd.csv", "\n".join(lines) + "\n")
        listed = self.said("score", "m.safetensors", "odd.csv", "--plot", "odd.svg").splitlines()
        self.assertIn(lines[101].split(",")[0], listed[3])
        self.assertIn("<circle", (self.path / "odd.svg").read_text())
        values = json.loads(self.said("score", "m.safetensors", "odd.csv", "--json"))["values"]
        self.assertEqual(len(values), 2 * 199)
        self.assertEqual(min(values, key=lambda v: v["tail_probability"])["value"], 4)
        self.assertEqual(len(self.said("sample", "m.safetensors", "--length", "5", "--seed", "1").split()), 5)

    def test_resume_and_go_on(self):
        self.learn("--columns", "small")
        self.said("train", "--resume", "m.safetensors", "--steps", "210")
        self.file("more.csv", self.table(0, 500))
        self.said("train", "more.csv", "--from", "m.safetensors", "-o", "n.safetensors", "--steps", "5")
        self.assertIn("columns: small\n", self.said("info", "n.safetensors"))

    def test_files_that_are_wrong(self):
        self.learn()
        for name, content, word in [
            ("empty.csv", "", "nothing"), ("text.csv", "a,b\n1,2\n3,x\n", 'line 3, column "b"'),
            ("short.csv", "a\n1\n", "row"), ("ragged.csv", "a,b\n1,2\n3\n", "line 3"),
            ("gaps.csv", "a,b\n1,\n2,\n", '"b" holds no number'),
            ("wide.csv", ",".join(["1"] * 1000001) + "\n", "1000001 columns"),
            ("back.csv", "t,a\n2020-01-02,1\n2020-01-01,2\n", "line 3"),
        ]:
            self.file(name, content)
            self.expect(2, word, "train", name, "-o", "x.safetensors")
        self.file("other.csv", "a\n" + "1\n2\n" * 40)
        self.expect(2, "small", "forecast", "m.safetensors", "other.csv")
        self.expect(2, "rows", "evaluate", "m.safetensors", "past.csv", "--horizon", "5000")
        self.expect(64, "horizon", "forecast", "m.safetensors", "past.csv", "--horizon", "0")
        self.expect(64, "quantiles", "forecast", "m.safetensors", "past.csv", "--quantiles", "2")
        self.expect(64, "no column", "train", "past.csv", "-o", "x.safetensors", "--columns", "none")
        self.expect(64, "--lines", "train", "past.csv", "--encoding", "series", "--lines", "-o", "x.safetensors")
        self.file("a.txt", "some text " * 100)
        self.expect(64, "--season", "train", "a.txt", "--season", "4", "-o", "x.safetensors")
        self.run_tool("train", "a.txt", "-o", "t.safetensors", "--steps", "2")
        self.expect(2, "not of numbers", "forecast", "t.safetensors", "past.csv")
        self.expect(64, "--horizon", "evaluate", "t.safetensors", "a.txt", "--horizon", "3")
        self.expect(2, "no labels", "classify", "m.safetensors", "past.csv")
        # Text is still learned from CSV where something says so.
        self.run_tool("train", "past.csv", "--encoding", "characters", "-o", "t.safetensors", "--steps", "2", "--force")


if __name__ == "__main__":
    unittest.main()
