"""The machine and what is put on it: facts about the processor, its ceilings, the peers."""
import json
import os
import pathlib
import subprocess
import sys
import time
import venv

FOLDER = pathlib.Path(__file__).resolve().parent
PACKAGES = ["torch", "numpy", "onnx", "onnxruntime", "jax", "tensorflow-cpu", "keras"]

# Prints the versions of what is installed, by name.
VERSIONS = """
import importlib.metadata, json, platform
found = {d.name.replace("_", "-"): d.version for d in importlib.metadata.distributions()}
print(json.dumps({"Python": platform.python_version(), **found}))
"""


class Failed(Exception):
    """A program that ended badly: its last words."""


def run(command, environment=None, seconds=600):
    """The JSON a program prints on its last line."""
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=seconds,
                              env={**os.environ, **(environment or {})})
    except subprocess.TimeoutExpired:
        raise Failed(f"it took over {seconds} s") from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"it ended with {done.returncode}"]
        raise Failed(next((line for line in lines if line.startswith("Error: ")), lines[-1]).removeprefix("Error: "))
    return json.loads(done.stdout.splitlines()[-1])


def compiled(source, folder, *flags):
    """The program, or library, a C file makes; made anew when the file is newer."""
    result = folder / source.stem
    if not result.exists() or result.stat().st_mtime < source.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([os.environ.get("CC", "cc"), "-O3", *flags, source, "-o", result], check=True)
    return result


class OtherWork:
    """How much else the processors do, here and on the host, from now on (Linux)."""
    def __init__(self):
        self.before = self.seconds()

    def seconds(self):
        """On the clock, of all processors in use or taken by the host, and of our own programs in use."""
        if not os.path.exists("/proc/stat"):
            return None
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, softirq, stolen = map(int, file.readline().split()[1:9])
        used = (user + nice + system + irq + softirq + stolen) / os.sysconf("SC_CLK_TCK")
        return time.monotonic(), used, sum(os.times()[:4])

    def sentence(self):
        if not self.before:
            return ""
        wall, used, own = (b - a for a, b in zip(self.before, self.seconds()))
        return f"Meanwhile other work kept {max(0, used - own) / wall:.2f} of the processors busy."


class Machine:
    def __init__(self, folder):
        """`folder`: a virtual environment with the peers, made if it is not there."""
        self.python = folder / "bin/python"
        if not self.python.exists():
            print(f"installing the peers into {folder}, once", file=sys.stderr)
            venv.create(folder, with_pip=True)
            subprocess.run([self.python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        self.ceilings_program = compiled(FOLDER / "ceilings.c", folder / "libretto")
        self.shim = compiled(FOLDER / "mkl_avx512.c", folder / "libretto", "-shared", "-fPIC")
        self.versions = run([self.python, "-c", VERSIONS])
        facts = {}
        if os.path.exists("/proc/cpuinfo"):
            for line in open("/proc/cpuinfo"):
                key, _, value = line.partition(":")
                facts.setdefault(key.strip(), value.strip())
        self.model = facts.get("model name", "unknown processor")
        self.vendor = facts.get("vendor_id", "")
        self.features = facts.get("flags", "").split()

    def ceilings(self, sizes):
        return run([self.ceilings_program, *sizes])

    def why_no_shim(self):
        """Why MKL need not be told to take its AVX-512 path here, if it need not."""
        if "avx512f" not in self.features:
            return "this processor has no AVX-512"
        if self.vendor == "GenuineIntel":
            return "on Intel's processors MKL takes its AVX-512 path unasked; it is PyTorch as installed"
        return None

    def description(self):
        sets = [("AVX2", "avx2"), ("AVX-512", "avx512f"), ("AVX512-VNNI", "avx512_vnni"),
                ("AVX512-BF16", "avx512_bf16")]
        has = [name for name, flag in sets if flag in self.features]
        lacks = [name for name, flag in sets if flag not in self.features]
        parts = [f"{self.model}, {os.cpu_count()} processors"]
        parts += [f"with {', '.join(has)}"] if has else []
        parts += [f"without {', '.join(lacks)}"] if lacks else []
        versions = [f"{name} {self.versions[name]}" for name in ["Python", *PACKAGES] if name in self.versions]
        return f"{'; '.join(parts)}. {', '.join(versions)}."
