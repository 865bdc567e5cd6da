"""What is measured: sizes, and for each part the contenders that do the same work, ours first."""
import dataclasses

from machine import FOLDER

VOCABULARY = 96
TRAINING = {
    "C1": dict(embedding=64, layers=1, hidden=128, batch=32, sequence=64),
    "C2": dict(embedding=64, layers=2, hidden=256, batch=32, sequence=64),
    "C3": dict(embedding=128, layers=2, hidden=512, batch=32, sequence=128),
    "C4": dict(embedding=128, layers=1, hidden=1024, batch=64, sequence=64),
}
SAMPLING = {
    "1x128": dict(embedding=64, layers=1, hidden=128),
    "2x256": dict(embedding=64, layers=2, hidden=256),
    "2x512": dict(embedding=128, layers=2, hidden=512),
    "1x1024": dict(embedding=128, layers=1, hidden=1024),
    "3x1024": dict(embedding=128, layers=3, hidden=1024),
}
BATCHES = {name: dict(size, batch=64) for name, size in SAMPLING.items()}
BYTES = {"float32": 4, "bfloat16": 2, "int8": 1}


def product_parameters(size):
    """Parameters that take part in a product for each token: all weights but layer 0's input weight,
    whose products with the few rows of the embedding are worked out beforehand."""
    h = size["hidden"]
    return 3 * h * h * (2 * size["layers"] - 1) + h * VOCABULARY


def weight_bytes(size, precision):
    """What a sampled token reads of the weights, with int8's scale for each row of them."""
    scales = 3 * size["hidden"] * (2 * size["layers"] - 1) + VOCABULARY if precision == "int8" else 0
    return product_parameters(size) * BYTES[precision] + 4 * scales


@dataclasses.dataclass
class Contender:
    name: str
    command: list
    environment: dict = None
    absent: str = None  # why it is left out


@dataclasses.dataclass
class Part:
    title: str
    sizes: dict
    contenders: list
    precision: str = "float32"
    threads: int = 1

    @property
    def is_training(self):
        return self.sizes is TRAINING

    @property
    def reads(self):
        """Whether reading the weights is what takes the time, and not the products."""
        return not self.is_training and "batch" not in next(iter(self.sizes.values()))

    def command(self, contender, name, seconds):
        size = {"vocab": VOCABULARY, **self.sizes[name]}
        return [*contender.command, *words(size), "--seconds", seconds]

    def work(self, name):
        """Of one token: bytes to read, or operations of products: a multiplication and an addition for
        each parameter, and in training as many again for the gradient of either factor."""
        if self.reads:
            return weight_bytes(self.sizes[name], self.precision)
        return (6 if self.is_training else 2) * product_parameters(self.sizes[name])

    def ceiling(self, ceilings, name):
        """How much of it can be done in a second; None if the processor lacks what it takes."""
        if self.reads:
            return ceilings["read"][str(self.work(name))]
        return ceilings[self.precision] and self.threads * ceilings[self.precision]


def words(options):
    return [word for key, value in options.items() for word in (f"--{key}", value)]


def parts(tool, machine):
    def ours(kind, name="Libretto", **flags):
        return Contender(name, [tool, "bench", kind, "--json", *words(flags)])

    def peer(name, script, *flags, shim=False):
        command = [machine.python, FOLDER / script, *flags]
        if not shim:
            return Contender(name, command)
        return Contender(name, command, {"LD_PRELOAD": str(machine.shim)}, machine.why_no_shim())

    def sampler(name, engine):
        return peer(name, "peer_sample.py", "--engine", engine)

    return {
        "train": Part("Whole training steps, float32, one thread", TRAINING, [
            ours("train"),
            peer("PyTorch GRU", "peer_train.py"),
            peer("PyTorch GRU, MKL's AVX-512", "peer_train.py", shim=True),
            peer("PyTorch LSTM", "peer_train.py", "--cell", "lstm"),
            peer("PyTorch LSTM, MKL's AVX-512", "peer_train.py", "--cell", "lstm", shim=True),
            peer("JAX GRU", "peer_train_jax.py"),
            peer("Keras GRU", "peer_train_keras.py"),
        ]),
        "train-threads": Part("Whole training steps, float32, two threads", TRAINING, [
            ours("train", "Libretto, 2 threads", threads=2), ours("train", "Libretto, 1 thread"),
        ], threads=2),
        "train-bfloat16": Part("Whole training steps, bfloat16, one thread", TRAINING, [
            ours("train", precision="bfloat16"),
            peer("PyTorch GRU, autocast", "peer_train.py", "--precision", "bfloat16"),
        ], "bfloat16"),
        "sample": Part("One sampled token, float32, one thread", SAMPLING, [
            ours("sample"),
            sampler("PyTorch, eager", "torch"),
            sampler("PyTorch, traced", "torch-traced"),
            sampler("ONNX Runtime, GRU node", "onnxruntime"),
            sampler("ONNX Runtime, products", "onnxruntime-products"),
            sampler("NumPy", "numpy"),
        ]),
        "sample-bfloat16": Part("One sampled token, bfloat16, one thread", SAMPLING, [
            ours("sample", precision="bfloat16"),
        ], "bfloat16"),
        "sample-int8": Part("One sampled token, int8, one thread", SAMPLING, [
            ours("sample", precision="int8"), sampler("ONNX Runtime, dynamic int8", "onnxruntime-int8"),
        ], "int8"),
        "sample-batch": Part("64 sessions at once, float32, one thread", BATCHES, [
            ours("sample"),
            sampler("ONNX Runtime, GRU node", "onnxruntime"),
            sampler("ONNX Runtime, products", "onnxruntime-products"),
            sampler("PyTorch, eager", "torch"),
            sampler("PyTorch, traced", "torch-traced"),
        ]),
    }
