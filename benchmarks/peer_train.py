#!/usr/bin/env python3
"""One peer's training speed: whole steps of the same network on the same sizes, by PyTorch.

Embedding, GRU (or LSTM), linear, cross entropy, backward, clipping by norm, Adam (fused), the state
carried from window to window. Prints the median as JSON, like `libretto bench train --json`.
"""
import argparse
import json
import os
import statistics
import time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--cell", choices=["gru", "lstm"], default="gru")
parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
for name, value in [("vocab", 96), ("embedding", 64), ("hidden", 256), ("layers", 2), ("batch", 32),
                    ("sequence", 64), ("threads", 1)]:
    parser.add_argument("--" + name, type=int, default=value)
parser.add_argument("--seconds", type=float, default=3)
a = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(a.threads)

import torch  # noqa: E402  (after the thread limits)
from torch import nn  # noqa: E402

torch.set_num_threads(a.threads)
torch.manual_seed(1)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(a.vocab, a.embedding)
        self.rnn = (nn.GRU if a.cell == "gru" else nn.LSTM)(a.embedding, a.hidden, a.layers)
        self.head = nn.Linear(a.hidden, a.vocab)

    def forward(self, x, state):
        y, state = self.rnn(self.embedding(x), state)
        return self.head(y), state


model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
zero = torch.zeros(a.layers, a.batch, a.hidden)
state = zero if a.cell == "gru" else (zero, zero.clone())
data = torch.randint(0, a.vocab, (a.sequence + 1, a.batch))


def step():
    global state
    with torch.autocast("cpu", torch.bfloat16, enabled=a.precision == "bfloat16"):
        logits, after = model(data[:-1], state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1).float(), data[1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1)
    optimizer.step()
    state = after.detach() if a.cell == "gru" else tuple(s.detach() for s in after)


def measure(seconds):
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return times


measure(a.seconds / 5)
median = statistics.median(measure(a.seconds))
print(json.dumps({"tokens_per_second": a.batch * a.sequence / median, "version": torch.__version__}))
