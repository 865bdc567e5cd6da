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
import sys
from statistics import median

import goals
import work
from machine import Failed, Machine, OtherWork, run

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = ROOT / ".build/release/libretto"


def measure(part, size, options, machine, absent):
    """Runs the ceilings and all contenders in turn, some rounds. Gives the results by contender and the
    ceilings, both by round; nothing if we cannot do it. Who cannot goes to `absent`, with the reason."""
    read = [part.work(size)] if part.reads else []
    results, ceilings = {contender.name: [] for contender in part.contenders}, []
    for number in range(options.rounds):
        ceilings.append(machine.ceilings(read))
        for contender in part.contenders:
            if contender.name not in results:
                continue
            command = part.command(contender, size, options.seconds)
            try:
                if contender.absent:
                    raise Failed(contender.absent)
                figures = run(command, contender.environment, 120 + 20 * options.seconds)
            except Failed as failure:
                absent.setdefault((contender.name, str(failure)), []).append(size)
                del results[contender.name]
                if contender is part.contenders[0]:
                    return None
                continue
            results[contender.name].append(figures)
            print(f"{size}, round {number + 1}: {contender.name}: {figures['tokens_per_second']:,.0f} tokens/s",
                  file=sys.stderr)
    return results, ceilings


def header(part):
    figure = "microseconds" if part.reads else "tokens/s"
    cells = ["size", "", figure, "Libretto is faster by", "of the ceiling"]
    cells += [] if part.is_training else ["p99 / median"]
    return f"| {' | '.join(cells)} |\n|{'---|' * len(cells)}"


def rows(part, size, results, ceilings):
    """The lines of the table for one size: medians over the rounds, of rates, ratios and shares."""
    ours = next(iter(results))
    for name, figures in results.items():
        rate = median(f["tokens_per_second"] for f in figures)
        cells = [size, name, f"{1e6 / rate:,.1f}" if part.reads else f"{rate:,.0f}"]
        if name == ours:
            cells += ["", ceiling(part, size, results, ceilings)]
        else:
            cells += [f"{median(goals.ratios(results[ours], figures)):.2f}", ""]
        if not part.is_training:
            cells.append(f"{median(f['p99'] / f['p50'] for f in figures):.2f}")
        yield f"| {' | '.join(cells)} |"


def ceiling(part, size, results, ceilings):
    """Our share of it, and what it is."""
    share = goals.share(part, results, ceilings, size)
    if share is None:
        return ""
    most = median(part.ceiling(each, size) for each in ceilings) / 1e9
    if part.reads:
        return f"{share:.2f} of {most:,.0f} GB/s ({part.work(size) / 1e6:,.2f} MB)"
    return f"{share:.2f} of {most:,.0f} GFLOP/s"


def show(part, sizes, options, machine):
    """Measures a part and prints its table. Gives by size what goals wants to know."""
    print(f"\n{part.title}:\n", flush=True)
    measured, absent = {}, {}
    for size in sizes:
        found = measure(part, size, options, machine, absent)
        if found:
            lines = [] if measured else [header(part)]
            print("\n".join(lines + list(rows(part, size, *found))), flush=True)
            measured[size] = (*found, size)
    if measured and absent:
        print()
    for (name, reason), where in absent.items():
        print(f"- {name} is left out{'' if where == sizes else ' at ' + ', '.join(where)}: {reason}.", flush=True)
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
    parser.add_argument("--sizes", nargs="+", metavar="SIZE", help=', '.join([*work.TRAINING, *work.SAMPLING]))
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
    measured, others = {}, OtherWork()
    for name, sizes in chosen.items():
        for size, found in show(parts[name], sizes, options, machine).items():
            measured[name, size] = found
    print(f"\n{others.sentence()}\n\nWhat is to be reached:")
    goals.show(parts, measured)


if __name__ == "__main__":
    main()
