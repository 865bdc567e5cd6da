#!/usr/bin/env python3
"""One peer's sampling speed: a token is embedded, goes through the GRU, the head and a softmax at
temperature 0.8, and the next one is drawn. Prints JSON like `libretto bench sample --json`.

Engines: torch (nn.GRU, eager), torch-traced (the step as one traced and frozen module, the draw
included), onnxruntime (the exported graph; softmax and draw in NumPy), numpy (by hand).
"""
import argparse
import io
import json
import os
import statistics
import time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--engine", choices=["torch", "torch-traced", "onnxruntime", "numpy"], default="torch")
for name, value in [("vocab", 96), ("embedding", 64), ("hidden", 256), ("layers", 2), ("batch", 1),
                    ("threads", 1)]:
    parser.add_argument("--" + name, type=int, default=value)
parser.add_argument("--seconds", type=float, default=3)
a = parser.parse_args()
for key in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[key] = str(a.threads)

import numpy as np  # noqa: E402  (after the thread limits)

rng = np.random.default_rng(1)
V, E, H, L, B = a.vocab, a.embedding, a.hidden, a.layers, a.batch


def draw(logits):
    """Softmax at temperature 0.8 and one draw per row."""
    p = np.exp((logits - logits.max(-1, keepdims=True)) / 0.8)
    c = p.cumsum(-1)
    return (c < rng.random((len(c), 1), np.float32) * c[:, -1:]).sum(-1)


def weights():
    """The parameters of the network, by PyTorch's names and shapes."""
    bound = 1 / np.sqrt(H)
    u = lambda *s: rng.uniform(-bound, bound, s).astype(np.float32)  # noqa: E731
    layers = [(u(3 * H, E if i == 0 else H), u(3 * H, H), u(3 * H), u(3 * H)) for i in range(L)]
    return rng.standard_normal((V, E), np.float32), layers, u(V, H), u(V)


def numpy_step():
    embedding, layers, head, bias = weights()
    transposed = [(np.ascontiguousarray(wi.T), np.ascontiguousarray(wh.T), bi, bh) for wi, wh, bi, bh in layers]
    out = np.ascontiguousarray(head.T)
    state = [np.zeros((B, H), np.float32) for _ in range(L)]
    token = np.zeros(B, np.int64)

    def step():
        nonlocal token
        x = embedding[token]
        for i, (wi, wh, bi, bh) in enumerate(transposed):
            gx = x @ wi + bi
            gh = state[i] @ wh + bh
            rz = 1 / (1 + np.exp(-(gx[:, :2 * H] + gh[:, :2 * H])))
            n = np.tanh(gx[:, 2 * H:] + rz[:, :H] * gh[:, 2 * H:])
            x = state[i] = n + rz[:, H:] * (state[i] - n)
        token = draw(x @ out + bias)

    return step, np.__version__


def torch_step():
    import torch
    from torch import nn
    torch.set_num_threads(a.threads)
    torch.set_grad_enabled(False)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(V, E)
            self.gru = nn.GRU(E, H, L)
            self.head = nn.Linear(H, V)

        def forward(self, token, state):
            y, state = self.gru(self.embedding(token).unsqueeze(0), state)
            return self.head(y[0]), state

    class Draw(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = Net()

        def forward(self, token, state):
            logits, state = self.net(token, state)
            return torch.multinomial(torch.softmax(logits / 0.8, -1), 1)[:, 0], state

    module = Draw().eval()
    state = torch.zeros(L, B, H)
    token = torch.zeros(B, dtype=torch.long)
    if a.engine == "onnxruntime":
        import onnxruntime
        file = io.BytesIO()
        torch.onnx.export(module.net, (token, state), file, dynamo=False, opset_version=17,
                          input_names=["token", "state"], output_names=["logits", "after"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = a.threads
        session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
        feed = {"token": token.numpy(), "state": state.numpy()}

        def step():
            logits, feed["state"] = session.run(None, feed)
            feed["token"] = draw(logits)

        return step, onnxruntime.__version__
    if a.engine == "torch-traced":
        module = torch.jit.freeze(torch.jit.trace(module, (token, state), check_trace=False))

    def step():
        nonlocal token, state
        token, state = module(token, state)

    return step, torch.__version__


def measure(step, seconds):
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 10:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return times


step, version = numpy_step() if a.engine == "numpy" else torch_step()
measure(step, a.seconds / 5)
median = statistics.median(measure(step, a.seconds))
print(json.dumps({"tokens_per_second": B / median, "microseconds_per_token": median / B * 1e6,
                  "version": version}))
