#!/usr/bin/env python3
"""One peer's sampling speed: a token is embedded, goes through the GRU, the head and a softmax at
temperature 0.8, and the next one is drawn. Prints JSON like `libretto bench sample`.

Engines: torch (nn.GRU, eager), torch-traced (the step as one traced and frozen module, the draw
included), onnxruntime (ONNX's GRU node), onnxruntime-products (the cell as matrix products and
element-wise nodes), onnxruntime-int8 (the same, quantised dynamically), numpy (by hand). With ONNX
Runtime and NumPy, softmax and draw are NumPy's.
"""
import logging
import pathlib
import tempfile
import warnings

import peer

a = peer.arguments(__doc__, batch=1, engine=["torch", "torch-traced", "onnxruntime", "onnxruntime-products",
                                             "onnxruntime-int8", "numpy"])

import numpy as np  # noqa: E402  (after the thread limits)

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
rng = np.random.default_rng(1)
V, E, H, L, B = a.vocab, a.embedding, a.hidden, a.layers, a.batch


def draw(logits):
    """Softmax at temperature 0.8 and one draw per row."""
    p = np.exp((logits - logits.max(-1, keepdims=True)) / 0.8)
    c = p.cumsum(-1)
    return (c < rng.random((len(c), 1), np.float32) * c[:, -1:]).sum(-1)


def numpy_step():
    bound = H ** -0.5
    uniform = lambda *shape: rng.uniform(-bound, bound, shape).astype(np.float32)  # noqa: E731
    layers = [(uniform(H if i else E, 3 * H), uniform(3 * H), uniform(H, 3 * H), uniform(3 * H)) for i in range(L)]
    embedding, head, bias = rng.standard_normal((V, E), np.float32), uniform(H, V), uniform(V)
    state = [np.zeros((B, H), np.float32) for _ in range(L)]
    token = np.zeros(B, np.int64)

    def step():
        nonlocal token
        x = embedding[token]
        for i, (wi, bi, wh, bh) in enumerate(layers):
            gx = x @ wi + bi
            gh = state[i] @ wh + bh
            rz = 1 / (1 + np.exp(-(gx[:, :2 * H] + gh[:, :2 * H])))
            n = np.tanh(gx[:, 2 * H:] + rz[:, :H] * gh[:, 2 * H:])
            x = state[i] = n + rz[:, H:] * (state[i] - n)
        token = draw(x @ head + bias)

    return step


def torch_modules():
    """The network around nn.GRU, and the same with its cells written out."""
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

    class Products(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(V, E)
            self.inputs = nn.ModuleList(nn.Linear(H if i else E, 3 * H) for i in range(L))
            self.hidden = nn.ModuleList(nn.Linear(H, 3 * H) for _ in range(L))
            self.head = nn.Linear(H, V)

        def forward(self, token, state):
            x = self.embedding(token)
            after = []
            for i in range(L):
                h = state[i]
                xr, xz, xn = self.inputs[i](x).split(H, 1)
                hr, hz, hn = self.hidden[i](h).split(H, 1)
                n = torch.tanh(xn + torch.sigmoid(xr + hr) * hn)
                x = n + torch.sigmoid(xz + hz) * (h - n)
                after.append(x)
            return self.head(x), torch.stack(after)

    return torch, Net, Products, torch.zeros(B, dtype=torch.long), torch.zeros(L, B, H)


def torch_step():
    torch, Net, _, token, state = torch_modules()

    class Draw(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = Net()

        def forward(self, token, state):
            logits, state = self.net(token, state)
            return torch.multinomial(torch.softmax(logits / 0.8, -1), 1)[:, 0], state

    module = Draw().eval()
    if a.engine == "torch-traced":
        module = torch.jit.freeze(torch.jit.trace(module, (token, state), check_trace=False))

    def step():
        nonlocal token, state
        token, state = module(token, state)

    return step


def onnx_step():
    import onnxruntime
    torch, Net, Products, token, state = torch_modules()
    module = Net() if a.engine == "onnxruntime" else Products()
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder, "model.onnx")
        torch.onnx.export(module.eval(), (token, state), str(model), dynamo=False, opset_version=17,
                          input_names=["token", "state"], output_names=["logits", "after"])
        if a.engine == "onnxruntime-int8":
            from onnxruntime.quantization import QuantType, quantize_dynamic
            quantize_dynamic(model, model, weight_type=QuantType.QInt8, per_channel=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = a.threads
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    # Everything stays where the runtime has it; two states take turns.
    value = onnxruntime.OrtValue.ortvalue_from_numpy
    tokens, logits = value(token.numpy()), value(np.zeros((B, V), np.float32))
    states = [value(state.numpy()), value(state.numpy())]
    bindings = []
    for before, after in (states, reversed(states)):
        binding = session.io_binding()
        binding.bind_ortvalue_input("token", tokens)
        binding.bind_ortvalue_input("state", before)
        binding.bind_ortvalue_output("logits", logits)
        binding.bind_ortvalue_output("after", after)
        bindings.append(binding)

    def step():
        session.run_with_iobinding(bindings[0])
        bindings.reverse()
        tokens.update_inplace(draw(logits.numpy()))

    return step


steps = {"torch": torch_step, "onnxruntime": onnx_step, "numpy": numpy_step}
peer.report(steps[a.engine.split("-")[0]](), a.seconds, B, least=10)
