#!/usr/bin/env python3
"""What default flags learn in some minutes, on corpora that others have measured too: the tables of RESULTS.md.

    benchmarks/results.py FOLDER [--only TASK...] [--tool .build/release/libretto] [--seed 1] [--no-adapt]
    benchmarks/results.py --recipe FOLDER --against "TOOL [FLAG...]"... [--only CORPUS...] [--seeds 1 2 3]

FOLDER holds what is there of: tinyshakespeare.txt (github.com/karpathy/char-rnn), nottingham/train and /valid
(github.com/jukedeck/nottingham-dataset), pop909/train and /valid (github.com/music-x-lab/POP909-Dataset),
quarters/train and /valid (models/make/chorales.py --quarters), folk (benchmarks/corpora/folk.sh). A task whose corpus is not there
is left out. The project's own sources are read where they are.

Minutes are those of a machine whose processors in use reach 200 GFLOP/s together in float32: `ceilings.c` measures one,
and the minutes grow or shrink in proportion. The validation part is never learned from.

With --recipe, what training gives beside other builds or flags, each given to --against, at equal steps: one layer of 256
units, 500 steps, one thread, without the memory, which older builds do not have. Flags may change the steps.
"""
import argparse
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

from machine import compiled

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
REFERENCE = 200e9

# Name, what to train on and to validate with, in the folder, minutes, flags.
TASKS = [
    ("tinyshakespeare, 2 min", "tinyshakespeare.txt", 0.1, 2, []),
    ("tinyshakespeare, 10 min", "tinyshakespeare.txt", 0.1, 10, []),
    ("tinyshakespeare, 60 min", "tinyshakespeare.txt", 0.1, 60, []),
    ("Nottingham, polyphony, 10 min", "nottingham/train", "nottingham/valid", 10, ["--encoding", "polyphony"]),
    ("POP909, performance, 20 min", "pop909/train", "pop909/valid", 20, ["--encoding", "performance"]),
    ("chorales, polyphony at quarters, 10 min", "quarters/train", "quarters/valid", 10,
     ["--encoding", "polyphony", "--steps-per-quarter", "1"]),
    ("folk tunes, melody, 5 min", "folk", 0.1, 5, ["--encoding", "melody"]),
    ("the project's own sources, 5 min", None, 0.1, 5, []),
]

# For --recipe: name, files, flags. Each is learned by one layer of 256 units for 500 steps, on one thread.
CORPORA = [
    ("tinyshakespeare", "tinyshakespeare.txt", []),
    ("own sources", None, []),
    ("Nottingham", "nottingham/train", ["--encoding", "polyphony", "--no-augment"]),
    ("POP909", "pop909/train", ["--encoding", "performance", "--no-augment"]),
    ("folk tunes", "folk", ["--encoding", "melody", "--no-augment"]),
]


def call(*words):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


def peak():
    """Operations on floats a second of the processors this process may use, one after another measured."""
    one = json.loads(call(compiled(HERE / "ceilings.c", pathlib.Path(tempfile.gettempdir()) / "libretto-ceilings")))
    return one["float32"] * min(8, len(os.sched_getaffinity(0)))


def own_sources(folder):
    """The Swift and C of this project, one text."""
    path = folder / "sources.txt"
    files = sorted(f for pattern in ("Sources/**/*.swift", "examples/*.[ch]", "Include/*.h") for f in ROOT.glob(pattern))
    # The kernels are one source behind five names.
    files = [f for f in files if not f.is_symlink() and not f.parent.is_symlink()]
    path.write_bytes(b"".join(f.read_bytes() for f in files))
    return path


def measure(options, work, name, source, held, minutes, flags):
    """Trains and evaluates; a row of the table."""
    train, test = source, held
    if isinstance(held, float) and source.is_file():
        data = source.read_bytes()
        cut = len(data) - int(len(data) * held)
        train, test = work / "train.txt", work / "test.txt"
        train.write_bytes(data[:cut])
        test.write_bytes(data[cut:])
    elif isinstance(held, float):
        test = None
    else:
        test = options.folder / held
    model = work / "m.safetensors"
    more = ["--valid", test] if test else []
    said = json.loads(call(options.tool, "train", train, "-o", model, "--minutes", minutes, "--seed", options.seed,
                           "--force", "--json", *more, *flags).splitlines()[-1])
    if not test:
        return [name, f"{said['nats_per_token']:.3f} nats/token (validation)", "", "", said]
    small = work / "small.safetensors"
    call(options.tool, "quantize", model, "-o", small, "--force")
    adapt = [] if options.no_adapt else ["--adapt"]
    found = json.loads(call(options.tool, "evaluate", model, test, *adapt, "--json"))
    rounded = json.loads(call(options.tool, "evaluate", small, test, "--json"))
    scale, unit = 1, "nats/token"
    if found["nats_per_step"]:
        scale, unit = found["nats_per_step"] / found["nats_per_token"], "nats/step"
    elif found["bits_per_character"]:
        unit = "nats/character"
        scale = found["bits_per_character"] * 0.6931471805599453 / found["nats_per_token"]
    values = [found["nats_per_token"], found["nats_per_token_without_memory"], found["nats_per_token_adapted"],
              rounded["nats_per_token"]]
    shown = ["" if v is None else f"{v * scale:.3f}" for v in values]
    return [name, f"{shown[0]} {unit}", *shown[1:], said]


def tasks(options):
    speed = peak()
    scale = REFERENCE / speed
    print(f"{speed / 1e9:.0f} GFLOP/s: a minute of the table is {scale:.2f} minutes here. Seed {options.seed}.\n")
    print("| task | loss | without memory | adapted | int8 | parameters | steps |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        for name, source, held, minutes, flags in TASKS:
            path = options.folder / source if source else own_sources(work)
            if not path.exists() or options.only and not any(word in name for word in options.only):
                continue
            *cells, said = measure(options, work, name, path, held, minutes * scale, flags)
            cells += [f"{said['parameters']:,}", f"{said['steps']:,}"]
            print("| " + " | ".join(cells) + " |", flush=True)


def recipe(options):
    rivals = [shlex.split(words) for words in [options.tool, *options.against]]
    has_memory = {tool: "--no-memory" in call(tool, "train", "--help") for tool, *_ in rivals}
    print("| corpus | " + " | ".join(["the recipe", *options.against]) + " |")
    print("|---" * (len(rivals) + 1) + "|")
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)

        def loss(rival, path, flags, seed):
            tool, *own = rival
            fixed = {"--valid": "0.1", "--hidden": "256", "--layers": "1", "--steps": "500", "--threads": "1", "--patience": "0"}
            fixed = [word for flag, value in fixed.items() if flag not in own for word in (flag, value)]
            out = call(tool, "train", path, "-o", work / f"{threading.get_ident()}.safetensors", "--force", "--json", "--seed",
                       seed, *fixed, *(["--no-memory"] if has_memory[tool] else []), *flags, *own)
            return json.loads(out.splitlines()[-1])["nats_per_token"]

        for name, source, flags in CORPORA:
            path = options.folder / source if source else own_sources(work)
            if not path.exists() or options.only and name not in options.only:
                continue
            with ThreadPoolExecutor(options.jobs) as pool:
                losses = [list(pool.map(lambda seed: loss(rival, path, flags, seed), options.seeds)) for rival in rivals]
            base = statistics.mean(losses[0])
            shown = [f"{base:.4f} ± {statistics.pstdev(losses[0]):.4f}"] + [
                f"{statistics.mean(v) / base:.3f} ± {statistics.pstdev(v) / base:.3f}" for v in losses[1:]]
            print("| " + " | ".join([name, *shown]) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", nargs="+", metavar="WORD")
    parser.add_argument("--tool", default=str(ROOT / ".build/release/libretto"))
    parser.add_argument("--against", nargs="+", default=[], metavar="TOOL", help="with --recipe: other tools, with flags")
    parser.add_argument("--jobs", default=1, type=int, help="with --recipe: runs at once")
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--seeds", nargs="+", default=[1, 2, 3], type=int)
    parser.add_argument("--no-adapt", action="store_true", help="leave out the loss with learning meanwhile, which is slow")
    parser.add_argument("--recipe", action="store_true")
    options = parser.parse_args()
    if options.recipe and not options.against:
        parser.error("--recipe compares with --against TOOL")
    (recipe if options.recipe else tasks)(options)


if __name__ == "__main__":
    sys.exit(main())
