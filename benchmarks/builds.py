#!/usr/bin/env python3
"""Two builds of Libretto on the same work, in turn: whether a change has cost speed.

    benchmarks/builds.py OLD_TOOL NEW_TOOL [--rounds 7] [--seconds 2] [--least 0.98]
    benchmarks/builds.py --sides TOOL [--rounds 7] [--seconds 2]
    benchmarks/builds.py --memory TOOL [--rounds 7] [--seconds 2]
    benchmarks/builds.py --share TOOL... [--rounds 7] [--seconds 2]

Both are `libretto` programs. Prints, for training at C1 to C3 and for sampling from 1x128 to 2x512, the
median speed of each and the median of the ratios NEW / OLD of the rounds; exit code 1 if one is below the
least. With --sides, what the side inputs of polyphony cost one build: a step of training at C2 at most 3 %,
a token sampled at 2x256 at most 5 %. With --memory, what the memory costs beside them: 5 % and 8 %. With --share,
what each reaches in training at C1 to C4 of a core's peak in float32, measured before each round; with
LIBRETTO_ISA=v3, of its peak with AVX2. Needs a machine that does nothing else.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
from statistics import median

import work
from machine import compiled

SAMPLING = {"1x128": (64, 1, 128), "2x256": (64, 2, 256), "2x512": (128, 2, 512)}


def training(size):
    return ["train", *(word for name, value in size.items() for word in (f"--{name}", value))]


def works():
    """The words after `libretto bench` of each piece of work, by name."""
    for name in ("C1", "C2", "C3"):
        yield f"train {name}", training(work.TRAINING[name])
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
        pairs = [[speed(options.tools[0], [*words, flag], options.seconds) for flag in flags]
                 for _ in range(options.rounds)]
        ratio = median(told / plain for plain, told in pairs)
        slower = slower or ratio < least
        print(f"| {name} | {median(a for a, _ in pairs):,.0f} | {median(b for _, b in pairs):,.0f} | {ratio:.3f} |",
              flush=True)
    return slower


def shares(options):
    """What training reaches of a core's peak in float32."""
    folder = pathlib.Path(__file__).resolve().parent
    ceilings = compiled(folder / "ceilings.c", pathlib.Path(tempfile.gettempdir()) / "libretto-ceilings")
    print("| work | GFLOP/s | " + " | ".join(options.tools) + " |\n|---|---" + "|---" * len(options.tools) + "|")
    for name, size in work.TRAINING.items():
        operations = 6 * work.product_parameters(size)
        rounds = []
        for _ in range(options.rounds):
            peak = json.loads(subprocess.run([ceilings], check=True, capture_output=True, text=True).stdout)["float32"]
            rounds.append((peak, [speed(tool, training(size), options.seconds) * operations / peak for tool in options.tools]))
        cells = [f"{median(of[i] for _, of in rounds):.3f}" for i in range(len(options.tools))]
        print(f"| {name} | {median(peak for peak, _ in rounds) / 1e9:.0f} | {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tools", metavar="TOOL", nargs="+")
    parser.add_argument("--sides", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--share", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--least", type=float, default=0.98)
    options = parser.parse_args()
    if options.share:
        return shares(options)
    alone = options.sides or options.memory
    if len(options.tools) != (1 if alone else 2):
        parser.error("name two tools, or one with --sides or --memory")
    if alone:
        sys.exit(side_inputs(options))
    old_tool, new_tool = options.tools
    slower = False
    print("| work | old, tokens/s | new, tokens/s | new / old |\n|---|---|---|---|")
    for name, words in works():
        pairs = [(speed(old_tool, words, options.seconds), speed(new_tool, words, options.seconds))
                 for _ in range(options.rounds)]
        ratio = median(new / old for old, new in pairs)
        slower = slower or ratio < options.least
        print(f"| {name} | {median(old for old, _ in pairs):,.0f} | {median(new for _, new in pairs):,.0f} | {ratio:.3f} |",
              flush=True)
    sys.exit(slower)


if __name__ == "__main__":
    main()
