#!/usr/bin/env python3
"""Libretto and its peers on the same work, interleaved in one run: medians and ratios.

    make bench                           all of it
    benchmarks/compare.py --quick        the two sizes the README quotes
    benchmarks/compare.py --venv DIR     with the packages in an existing virtual environment

Needs torch, numpy, onnx and onnxruntime; installs them from PyPI into .build/bench-venv at first use.
Machines are shared and noisy: only the ratios within one run mean something. Writes the table to
standard output, as Markdown.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = ROOT / ".build/release/libretto"
TRAIN = {
    "C1": dict(embedding=64, layers=1, hidden=128, batch=32, sequence=64),
    "C2": dict(embedding=64, layers=2, hidden=256, batch=32, sequence=64),
    "C3": dict(embedding=128, layers=2, hidden=512, batch=32, sequence=128),
    "C4": dict(embedding=128, layers=1, hidden=1024, batch=64, sequence=64),
}
SAMPLE = {
    "1x128": dict(embedding=64, layers=1, hidden=128),
    "2x256": dict(embedding=64, layers=2, hidden=256),
    "2x512": dict(embedding=128, layers=2, hidden=512),
    "1x1024": dict(embedding=128, layers=1, hidden=1024),
}


def flags(sizes):
    return [part for key, value in sizes.items() for part in (f"--{key}", str(value))]


def run(command, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def peers_python(folder):
    python = folder / "bin/python"
    if not python.exists():
        print(f"installing the peers into {folder}, once", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "torch", "numpy", "onnx", "onnxruntime"], check=True)
    return python


def mkl_shim(folder):
    """Makes MKL take its AVX-512 path on processors of any make, as it does on Intel's own."""
    library = folder / "mkl_avx512.so"
    if not library.exists():
        source = folder / "mkl_avx512.c"
        source.write_text("int mkl_serv_intel_cpu_true(void) { return 1; }\n")
        subprocess.run(["cc", "-shared", "-fPIC", source, "-o", library], check=True)
    return {"LD_PRELOAD": str(library)}


def compare(title, contenders, rounds, figure):
    """Runs all in turn, some rounds, and prints a row for each: the first is ours."""
    results = {name: [] for name, *_ in contenders}
    for _ in range(rounds):
        for name, command, environment in contenders:
            results[name].append(run(command, environment)[figure])
    ours = contenders[0][0]
    for name, values in results.items():
        ratios = [a / b for a, b in zip(results[ours], values)]
        if figure == "microseconds_per_token":
            ratios = [1 / r for r in ratios]
        value = statistics.median(values)
        shown = f"{value:,.0f}" if figure == "tokens_per_second" else f"{value:,.1f}"
        ratio = "" if name == ours else f"{statistics.median(ratios):.2f}"
        print(f"| {title} | {name} | {shown} | {ratio} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", type=pathlib.Path, default=ROOT / ".build/bench-venv")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.5)
    a = parser.parse_args()
    python = peers_python(a.venv)
    shim = mkl_shim(a.venv)
    seconds = ["--seconds", str(a.seconds)]
    folder = pathlib.Path(__file__).resolve().parent
    versions = run([python, "-c", "import json, torch, numpy, onnxruntime; print(json.dumps(dict(torch=torch.__version__,"
                    " numpy=numpy.__version__, onnxruntime=onnxruntime.__version__)))"])
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    print(f"{cpu}, {os.cpu_count()} processors; Python {platform.python_version()}; {versions}\n")
    print("Whole training steps, float32, one thread, tokens per second:\n")
    print("| size | trainer | tokens/s | Libretto is faster by |\n|---|---|---|---|")
    for name, sizes in TRAIN.items():
        if a.quick and name != "C2":
            continue
        peer = [python, folder / "peer_train.py", *flags(sizes), *seconds]
        compare(name, [
            ("Libretto", [TOOL, "bench", "train", "--json", *flags(sizes), *seconds], None),
            ("PyTorch GRU", [*peer, "--cell", "gru"], None),
            ("PyTorch GRU, MKL's AVX-512", [*peer, "--cell", "gru"], shim),
            ("PyTorch LSTM, MKL's AVX-512", [*peer, "--cell", "lstm"], shim),
        ], a.rounds, "tokens_per_second")
    print("\nOne sampled token, float32, one thread, microseconds:\n")
    print("| size | sampler | us | Libretto is faster by |\n|---|---|---|---|")
    for name, sizes in SAMPLE.items():
        if a.quick and name != "2x256":
            continue
        peer = [python, folder / "peer_sample.py", *flags(sizes), *seconds, "--engine"]
        compare(name, [
            ("Libretto", [TOOL, "bench", "sample", "--json", *flags(sizes), *seconds], None),
            ("PyTorch, eager", [*peer, "torch"], None),
            ("PyTorch, traced", [*peer, "torch-traced"], None),
            ("ONNX Runtime", [*peer, "onnxruntime"], None),
            ("NumPy", [*peer, "numpy"], None),
        ], a.rounds, "microseconds_per_token")


if __name__ == "__main__":
    main()
