#!/usr/bin/env python3
"""Libretto and its peers on the same work, interleaved in one run: medians, ratios, and how much it is
of what the processor can do.

    make bench                                       all of it
    benchmarks/compare.py --only train --sizes C2    a part of it, at some of its sizes
    benchmarks/compare.py --venv DIR                 with the peers in an existing virtual environment

Installs the peers (PyTorch, ONNX Runtime, JAX, TensorFlow, NumPy) from PyPI into .build/bench-venv at
first use. Writes Markdown to standard output, progress to standard error.
"""
import argparse
import pathlib
import statistics
import sys

import goals
import work
from machine import Failed, Machine, run

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = ROOT / ".build/release/libretto"


def median(values):
    return statistics.median(values)


def measure(part, size, rounds, seconds, machine, absent):
    """Runs the ceilings and all contenders in turn, some rounds. Gives the results by contender and the
    ceilings, both by round. Who cannot do it goes to `absent`, with the reason."""
    read = [work.weight_bytes(part.sizes[size], part.precision)] if part.ceiling == "reading" else []
    results, ceilings = {contender.name: [] for contender in part.contenders}, []
    for number in range(rounds):
        ceilings.append(machine.ceilings(read))
        for contender in part.contenders:
            if contender.name not in results:
                continue
            try:
                if contender.absent:
                    raise Failed(contender.absent)
                figures = run(part.command(contender, size, seconds), contender.environment, 120 + 20 * seconds)
            except Failed as failure:
                absent[contender.name] = str(failure)
                del results[contender.name]
                if contender is part.contenders[0]:
                    return None
                continue
            results[contender.name].append(figures)
            print(f"{size}, round {number + 1} of {rounds}: {contender.name}: {figures['tokens_per_second']:,.0f} tokens/s",
                  file=sys.stderr)
    return results, ceilings


def rows(part, size, results, ceilings):
    """The lines of the table for one size."""
    ours = next(iter(results))
    for name, figures in results.items():
        rate = median(f["tokens_per_second"] for f in figures)
        cells = [size, name]
        cells.append(f"{rate:,.0f}" if part.sizes is work.TRAINING or part.flags else f"{1e6 / rate:,.1f}")
        cells.append("" if name == ours else f"{median(goals.ratios(results[ours], figures)):.2f}")
        if part.ceiling:
            share = goals.share(part, {name: figures}, ceilings, size) if name == ours else None
            cells.append("" if share is None else f"{share:.2f} of {ceiling(part, size, ceilings)}")
        if part.sizes is work.SAMPLING:
            cells.append(f"{median(f['p99'] / f['p50'] for f in figures):.2f}")
        yield f"| {' | '.join(cells)} |"


def ceiling(part, size, ceilings):
    if part.ceiling == "products":
        return f"{median(c[part.precision] for c in ceilings) / 1e9:,.0f} GFLOP/s"
    count = work.weight_bytes(part.sizes[size], part.precision)
    return f"{median(c['read'][str(count)] for c in ceilings) / 1e9:,.0f} GB/s for {count / 1e6:,.1f} MB"


def show(part, sizes, options, machine):
    """Measures a part and prints its table. Gives by size what goals wants to know."""
    figure = "tokens/s" if part.sizes is work.TRAINING or part.flags else "us a token"
    heads = ["size", "", figure, "Libretto is faster by"]
    heads += ["of the ceiling"] if part.ceiling else []
    heads += ["p99 / median"] if part.sizes is work.SAMPLING else []
    print(f"\n{part.title}:\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)
    measured, absent = {}, {}
    for size in sizes:
        found = measure(part, size, options.rounds, options.seconds, machine, absent)
        if found:
            measured[size] = (*found, size)
            print("\n".join(rows(part, size, *found)), flush=True)
    for name, reason in absent.items():
        print(f"\nLeft out: {name}: {reason}.", flush=True)
    return measured


def minutes(chosen, options):
    """About how long it will take. Programs start, compile and warm up; large sizes have long steps."""
    turns = sum(len(sizes) * len([c for c in part.contenders if not c.absent]) for part, sizes in chosen)
    return options.rounds * turns * (1.5 * options.seconds + 4) / 60


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", type=pathlib.Path, default=ROOT / ".build/bench-venv")
    parser.add_argument("--tool", type=pathlib.Path, default=TOOL, help="the libretto tool to measure")
    parser.add_argument("--only", nargs="+", metavar="PART", help="train, train-threads, train-bfloat16, sample, "
                        "sample-bfloat16, sample-int8, sample-batch")
    parser.add_argument("--sizes", nargs="+", metavar="SIZE", help=f"{', '.join([*work.TRAINING, *work.SAMPLING])}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.5, help="of each measurement")
    options = parser.parse_args()
    machine = Machine(options.venv)
    parts = work.parts(options.tool, machine)
    for name in options.only or []:
        if name not in parts:
            parser.error(f"there is no part {name}; there are {', '.join(parts)}")
    chosen = {name: [size for size in parts[name].sizes if size in (options.sizes or parts[name].sizes)]
              for name in options.only or parts}
    chosen = {name: sizes for name, sizes in chosen.items() if sizes}
    print(f"about {minutes([(parts[n], s) for n, s in chosen.items()], options):.0f} minutes", file=sys.stderr)
    print(machine.description())
    measured = {}
    for name, sizes in chosen.items():
        for size, found in show(parts[name], sizes, options, machine).items():
            measured[name, size] = found
    print("\nWhat is to be reached:")
    goals.show(parts, measured)


if __name__ == "__main__":
    main()
