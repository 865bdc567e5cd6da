#!/usr/bin/env python3
"""Reading a folder of MIDI files: Libretto and symusic in turns, one thread each.

    benchmarks/midi_read.py FOLDER...        [--rounds 7] [--venv DIR]

symusic (a C++ library, from PyPI) opens each file and gives its notes by tracks (`Score.from_file`);
ours opens each, reads all events and makes one sorted list of notes of them (`libretto bench midi`).
Installs symusic into .build/bench-midi-venv at first use. Prints a Markdown table: medians over the
rounds of the median pass of each round, with the fastest and slowest round.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEER = """
import json, pathlib, statistics, sys, time
from symusic import Score
files = sorted(str(p) for p in pathlib.Path(sys.argv[1]).rglob("*") if p.suffix.lower() in (".mid", ".midi"))
times = []
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    scores = 0
    for name in files:
        Score.from_file(name)
        scores += 1
    times.append(time.perf_counter() - start)
notes = sum(Score.from_file(name).note_num() for name in files)
print(json.dumps(dict(files=scores, notes=notes, milliseconds_per_pass=1e3 * statistics.median(times))))
"""


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folders", nargs="+", type=pathlib.Path)
parser.add_argument("--rounds", type=int, default=7)
parser.add_argument("--venv", type=pathlib.Path, default=ROOT / ".build/bench-midi-venv")
parser.add_argument("--tool", type=pathlib.Path, default=ROOT / ".build/release/libretto")
options = parser.parse_args()
python = options.venv / "bin/python"
if not python.exists():
    print(f"installing symusic into {options.venv}, once", file=sys.stderr)
    venv.create(options.venv, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "symusic"], check=True)

print("| folder | files | notes | Libretto, ms | symusic, ms | times as fast |")
print("|---|---|---|---|---|---|")
for folder in options.folders:
    ours, theirs = [], []
    for _ in range(options.rounds):
        ours.append(run(options.tool, "bench", "midi", folder, "--json", "--seconds", 1))
        theirs.append(run(python, "-c", PEER, folder, 15))
    if ours[0]["notes"] != theirs[0]["notes"]:
        print(f"{folder}: {ours[0]['notes']} notes by us, {theirs[0]['notes']} by symusic", file=sys.stderr)
    columns = []
    for results in (ours, theirs):
        times = sorted(r["milliseconds_per_pass"] for r in results)
        columns.append((statistics.median(times), f"{statistics.median(times):.1f} ({times[0]:.1f} to {times[-1]:.1f})"))
    ratio = columns[1][0] / columns[0][0]
    print(f"| {folder.name} | {ours[0]['files']} | {ours[0]['notes']} | {columns[0][1]} | {columns[1][1]} | {ratio:.2f} |")
