#!/usr/bin/env python3
"""Parts: whether files come back from their tokens, and what four voices know of each other.

    benchmarks/parts.py inverse FOLDER... [--steps-per-quarter 4]
    benchmarks/parts.py chorales FOLDER ENSEMBLE POLYPHONY [--count 100]

`inverse` makes tokens of every MIDI file in the folders, a file of these and tokens of that, and counts the files whose
tokens are the same; and what was left out of them.

`chorales` takes the folder that models/make/chorales.py makes and a model of each encoding trained on FOLDER/train. It
prints the nats per step of the three lower voices given the soprano: of all tokens of FOLDER/valid but the soprano's,
whose step they are in or after. Then the ensemble harmonises the sopranos `--count` times, and every note of each
soprano is looked for in what it wrote.
"""
import argparse
import ctypes
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("LIBRETTO_BUILD", ROOT / ".build/release"))
PITCHES, DRUMS, PARTS, INSTRUMENTS, LEVELS = 128, 9, 16, 17, 8
# The tokens that name a part, and those that let all its notes go on.
NAMES = 2 * PARTS


class Library:
    def __init__(self):
        self.c = ctypes.CDLL(str(BUILD / "libretto.so"))
        self.c.retto_last_error.restype = ctypes.c_char_p

    def __getattr__(self, name):
        function = getattr(self.c, "retto_" + name)

        def call(*arguments):
            if function(*arguments):
                raise RuntimeError(self.c.retto_last_error().decode())
        return call


retto = Library()


class Model:
    def __init__(self, path):
        self.handle = ctypes.c_void_p()
        retto.model_load(os.fsencode(path), ctypes.byref(self.handle))

    def encode(self, midi):
        count = ctypes.c_size_t()
        retto.model_encode_midi(self.handle, midi, None, 0, ctypes.byref(count))
        tokens = (ctypes.c_int32 * count.value)()
        retto.model_encode_midi(self.handle, midi, tokens, count.value, ctypes.byref(count))
        return tokens

    def decode(self, tokens):
        midi = ctypes.c_void_p()
        retto.model_decode_midi(self.handle, tokens, ctypes.c_size_t(len(tokens)), ctypes.c_double(120),
                                ctypes.byref(midi))
        return midi

    def score(self, tokens):
        """The log-probability of each token; 0 for the first."""
        result = (ctypes.c_float * len(tokens))()
        retto.model_score(self.handle, tokens, ctypes.c_size_t(len(tokens)), result)
        return list(result)


def read(path):
    midi = ctypes.c_void_p()
    retto.midi_read(os.fsencode(path), ctypes.byref(midi))
    return midi


def files(folder):
    return sorted(path for path in pathlib.Path(folder).rglob("*") if path.suffix.lower() in (".mid", ".midi"))


def tool(*arguments):
    return subprocess.run([BUILD / "libretto", *map(str, arguments)], check=True, capture_output=True, text=True)


class Grid:
    """What the tokens of a model say: see docs/file-format.md."""

    def __init__(self, name, vocabulary, steps):
        self.is_ensemble = name == "ensemble"
        notes = 2 * PITCHES + DRUMS + NAMES + INSTRUMENTS + LEVELS if self.is_ensemble else 2 * 88
        self.first_new = vocabulary - notes
        self.first_step = self.first_new - 8 * steps
        self.pitches = PITCHES if self.is_ensemble else 88
        self.lowest = 0 if self.is_ensemble else 21
        self.first_part = self.first_new + 2 * PITCHES + DRUMS

    def steps(self, tokens):
        """For each token its step, the part it is of (None for none) and its pitch (None for none)."""
        step, part = 0, None
        for token in tokens:
            if token < self.first_new:
                part = None
                yield step, None, None
                step += token >= self.first_step
            elif token < self.first_new + 2 * self.pitches:
                yield step, part, self.lowest + (token - self.first_new) % self.pitches
            else:
                if self.first_part <= token < self.first_part + NAMES:
                    part = (token - self.first_part) % PARTS
                yield step, part, None

    def count(self, tokens):
        return sum(self.first_step <= token < self.first_new for token in tokens)


def inverse(options):
    with tempfile.TemporaryDirectory() as work:
        every = [path for folder in options.folders for path in files(folder)]
        model = pathlib.Path(work) / "model.safetensors"
        tool("train", every[0], "--encoding", "ensemble", "--steps-per-quarter", options.steps_per_quarter, "--steps", 1,
             "--hidden", 8, "--layers", 1, "-o", model)
        model = Model(model)
        same = empty = tokens = 0
        for path in every:
            midi = read(path)
            try:
                piece = model.encode(midi)
            except RuntimeError as error:
                print(f"{path}: {error}", file=sys.stderr)
                empty += 1
                continue
            again = model.encode(model.decode(piece))
            tokens += len(piece)
            if list(piece) == list(again):
                same += 1
            else:
                print(f"{path} differs", file=sys.stderr)
        print(f"{same} of {len(every) - empty} files come back ({tokens:,} tokens); {empty} have no notes")


def chorales(options):
    models = {}
    for path in (options.ensemble, options.polyphony):
        info = json.loads(tool("info", path, "--json").stdout)
        steps = options.steps_per_quarter
        models[info["encoding"]] = (Model(path), Grid(info["encoding"], info["vocabulary"], steps))
    ensemble, of_ensemble = models["ensemble"]
    polyphony, of_polyphony = models["polyphony"]
    nats = {"ensemble": 0.0, "polyphony": 0.0}
    header = 0.0
    steps = 0
    for path in files(pathlib.Path(options.folder) / "valid"):
        midi = read(path)
        tokens = ensemble.encode(midi)
        steps += of_ensemble.count(tokens)
        soprano = {}
        for token, logp, (step, part, pitch) in zip(tokens, ensemble.score(tokens), of_ensemble.steps(tokens)):
            if part == 0:
                if pitch is not None:
                    soprano[step] = pitch
                elif token == of_ensemble.first_part + PARTS:
                    soprano[step] = soprano[step - 1]
            else:
                nats["ensemble"] -= logp
                if token >= of_ensemble.first_part + NAMES:
                    header -= logp
        tokens = polyphony.encode(midi)
        for logp, (step, part, pitch) in zip(polyphony.score(tokens), of_polyphony.steps(tokens)):
            if pitch is None or soprano.get(step) != pitch:
                nats["polyphony"] -= logp
    for name, sum in nats.items():
        print(f"{name}: {sum / steps:.3f} nats per step of the voices below the soprano, {steps} steps")
    print(f"({header / steps:.3f} of them for naming the instruments)")
    harmonise(options, ensemble, of_ensemble)


def sung(grid, tokens):
    """The tokens of part 0, each with its step."""
    return [(step, token) for token, (step, part, _) in zip(tokens, grid.steps(tokens)) if part == 0]


def harmonise(options, model, grid):
    kept = 0
    test = files(pathlib.Path(options.folder) / "valid")
    with tempfile.TemporaryDirectory() as work:
        out = pathlib.Path(work) / "out.mid"
        for number in range(options.count):
            path = test[number % len(test)]
            tool("sample", options.ensemble, "--accompany", path, "--keep", 1, "--seed", number, "-o", out)
            wanted, got = (sung(grid, model.encode(read(file))) for file in (path, out))
            kept += wanted == got
    print(f"{kept} of {options.count} harmonisations have every note of the soprano, and no other in its part")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("inverse")
    command.add_argument("folders", nargs="+")
    command.add_argument("--steps-per-quarter", type=int, default=4)
    command.set_defaults(run=inverse)
    command = commands.add_parser("chorales")
    command.add_argument("folder")
    command.add_argument("ensemble")
    command.add_argument("polyphony")
    command.add_argument("--steps-per-quarter", type=int, default=2)
    command.add_argument("--count", type=int, default=100)
    command.set_defaults(run=chorales)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    sys.exit(main())
