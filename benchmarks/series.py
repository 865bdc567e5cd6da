#!/usr/bin/env python3
"""How well a model forecasts ETTh1: 96 values of each of its seven columns from the 96 before, as in the literature.

    benchmarks/series.py ETTh1.csv [--tool .build/release/libretto] [--minutes 10] [--every 1] [--samples 32]

The first twelve months of thirty days are learned from, the next four choose the weights, and the four after these are
forecast at every hour (or every N hours), with default flags. Errors are of values scaled by mean and standard deviation
of the twelve months (Zhou et al. 2021).
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MONTH = 30 * 24


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--tool", default=str(ROOT / ".build/release/libretto"))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--horizon", type=int, default=96)
    options = parser.parse_args()
    names, *rows = options.file.read_text().splitlines()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)

        def part(name, first, last):
            (work / name).write_text("\n".join([names, *rows[first:last]]) + "\n")
            return work / name

        train = part("train.csv", 0, 12 * MONTH)
        valid = part("valid.csv", 12 * MONTH, 16 * MONTH)
        test = part("test.csv", 16 * MONTH - 96, 20 * MONTH)
        model = work / "model.safetensors"
        said = subprocess.run([options.tool, "train", train, "--valid", valid, "-o", model, "--minutes",
                               str(options.minutes)], check=True, capture_output=True, text=True).stdout
        print(said.splitlines()[-2], flush=True)
        said = subprocess.run([options.tool, "evaluate", model, test, "--horizon", str(options.horizon), "--look-back", "96",
                               "--every", str(options.every), "--samples", str(options.samples), "--json"], check=True,
                              capture_output=True, text=True).stdout
        result = json.loads(said)
    print(f"{result['forecasts']} forecasts of {options.horizon} values")
    for name in ("model", "baseline_errors"):
        errors = result[name]
        print(f"{name.split('_')[0]:10} mean squared error {errors['mean_squared_error']:.4f}, mean absolute error "
              f"{errors['mean_absolute_error']:.4f}, quantile loss {errors['quantile_loss']:.4f}")


if __name__ == "__main__":
    main()
