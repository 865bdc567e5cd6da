#!/usr/bin/env python3
"""PyTorch's training speed: whole steps of the same network on the same sizes. Embedding, GRU (or
LSTM), linear, cross entropy, backward, clipping by norm, Adam (fused), the state carried from window
to window. Prints JSON like `libretto bench train`."""
import peer

a = peer.arguments(__doc__, batch=32, cell=["gru", "lstm"], precision=["float32", "bfloat16"])

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


peer.report(step, a.seconds, a.batch * a.sequence, least=3)
