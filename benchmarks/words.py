#!/usr/bin/env python3
"""How many spoken digits examples/words.c names, of speakers it has not heard, and of a tenth of all recordings.

    benchmarks/words.py FOLDER [--program .build/stage/bin/libretto-words] [--minutes 2] [--only NAME...]

FOLDER holds recordings named DIGIT_SPEAKER_INDEX.wav (the Free Spoken Digit Dataset). For each speaker a model learns from
all others and names the recordings of this one; then one learns from nine tenths of all and names the last tenth, chosen by
a hash of the file's name. Prints each share of right names.
"""
import argparse
import hashlib
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def measure(options, files, is_test):
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        tests = []
        for file in files:
            if is_test(file):
                tests.append(file)
                continue
            place = work / "train" / file.name.split("_")[0]
            place.mkdir(parents=True, exist_ok=True)
            (place / file.name).symlink_to(file)
        model = work / "words.safetensors"
        subprocess.run([options.program, "train", work / "train", model, str(options.minutes)], check=True,
                       stderr=subprocess.DEVNULL)
        said = subprocess.run([options.program, model, *tests], check=True, capture_output=True, text=True).stdout
        rows = [line.split("\t") for line in said.splitlines()]
        return sum(pathlib.Path(path).name.split("_")[0] == word for path, word, _ in rows) / len(tests)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--program", default=str(ROOT / ".build/stage/bin/libretto-words"))
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--only", nargs="+")
    options = parser.parse_args()
    files = sorted(options.folder.resolve().rglob("*.wav"))
    speakers = sorted({file.name.split("_")[1] for file in files})
    shares = []
    for speaker in speakers:
        if options.only and speaker not in options.only:
            continue
        shares.append(measure(options, files, lambda f: f.name.split("_")[1] == speaker))
        print(f"without {speaker}: {100 * shares[-1]:.1f} %", flush=True)
    if shares:
        print(f"mean over speakers: {100 * statistics.mean(shares):.1f} %", flush=True)
    if not options.only or "tenth" in options.only:
        share = measure(options, files, lambda f: hashlib.sha256(f.name.encode()).digest()[0] * 10 // 256 == 0)
        print(f"a tenth of all: {100 * share:.1f} %", flush=True)


if __name__ == "__main__":
    sys.exit(main())
