#!/usr/bin/env python3
"""Two builds of Libretto on the same work, in turn: whether a change has cost speed.

    benchmarks/builds.py OLD_TOOL NEW_TOOL [--rounds 7] [--seconds 2] [--least 0.98]
    benchmarks/builds.py --sides TOOL [--rounds 7] [--seconds 2]
    benchmarks/builds.py --memory TOOL [--rounds 7] [--seconds 2]

Both are `libretto` programs. Prints, for training at C1 to C3 and for sampling from 1x128 to 2x512, the
median speed of each and the median of the ratios NEW / OLD of the rounds; exit code 1 if one is below the
least. With --sides, what the side inputs of polyphony cost one build: a step of training at C2 at most 3 %,
a token sampled at 2x256 at most 5 %. With --memory, what the memory costs beside them: 5 % and 8 %. Needs a
machine that does nothing else.
"""
import argparse
import json
import subprocess
import sys
from statistics import median

TRAINING = {"C1": (64, 1, 128, 32, 64), "C2": (64, 2, 256, 32, 64), "C3": (128, 2, 512, 32, 128)}
SAMPLING = {"1x128": (64, 1, 128), "2x256": (64, 2, 256), "2x512": (128, 2, 512)}


def works():
    """The words after `libretto bench` of each piece of work, by name."""
    for name, (embedding, layers, hidden, batch, sequence) in TRAINING.items():
        yield f"train {name}", ["train", "--embedding", embedding, "--layers", layers, "--hidden", hidden,
                                "--batch", batch, "--sequence", sequence]
    for name, (embedding, layers, hidden) in SAMPLING.items():
        for precision in ("float32", "int8"):
            yield f"sample {name} {precision}", ["sample", "--embedding", embedding, "--layers", layers,
                                                 "--hidden", hidden, "--precision", precision]


def speed(tool, words, seconds):
    command = [tool, "bench", *map(str, words), "--seconds", str(seconds), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["tokens_per_second"]


def side_inputs(options):
    """Whether side inputs, or the memory, cost more than they may."""
    slower = False
    flags, share = (("--sides", "--memory"), 0.08) if options.memory else (("--music", "--sides"), 0.05)
    step = 0.05 if options.memory else 0.03
    print(f"| work | {flags[0]}, tokens/s | {flags[1]}, tokens/s | ratio |\n|---|---|---|---|")
    for name, words in works():
        least = {"train C2": 1 / (1 + step), "sample 2x256 float32": 1 / (1 + share),
                 "sample 2x256 int8": 1 / (1 + share)}.get(name)
        if least is None:
            continue
        pairs = [[speed(options.old, [*words, flag], options.seconds) for flag in flags]
                 for _ in range(options.rounds)]
        ratio = median(told / plain for plain, told in pairs)
        slower = slower or ratio < least
        print(f"| {name} | {median(a for a, _ in pairs):,.0f} | {median(b for _, b in pairs):,.0f} | {ratio:.3f} |",
              flush=True)
    return slower


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", metavar="OLD_TOOL")
    parser.add_argument("new", metavar="NEW_TOOL", nargs="?")
    parser.add_argument("--sides", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--least", type=float, default=0.98)
    options = parser.parse_args()
    alone = options.sides or options.memory
    if alone != (options.new is None):
        parser.error("name two tools, or one with --sides or --memory")
    if alone:
        sys.exit(side_inputs(options))
    slower = False
    print("| work | old, tokens/s | new, tokens/s | new / old |\n|---|---|---|---|")
    for name, words in works():
        pairs = [(speed(options.old, words, options.seconds), speed(options.new, words, options.seconds))
                 for _ in range(options.rounds)]
        ratio = median(new / old for old, new in pairs)
        slower = slower or ratio < options.least
        print(f"| {name} | {median(old for old, _ in pairs):,.0f} | {median(new for _, new in pairs):,.0f} | {ratio:.3f} |",
              flush=True)
    sys.exit(slower)


if __name__ == "__main__":
    main()
