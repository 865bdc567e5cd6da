#!/usr/bin/env python3
"""JAX's training speed: the step of peer_train.py with the GRU as a `lax.scan` over its cell, the
input products of a layer as one, and the whole step in one `jit`."""
import peer

a = peer.arguments(__doc__, batch=32)
peer.hold_to_processors(a.threads)

import jax  # noqa: E402  (after the thread limits)
import jax.numpy as np  # noqa: E402

H = a.hidden
keys = iter(jax.random.split(jax.random.PRNGKey(1), 3 + 4 * a.layers))


def uniform(*shape):
    return jax.random.uniform(next(keys), shape, minval=-H ** -0.5, maxval=H ** -0.5)


def network():
    layers = [(uniform(H if i else a.embedding, 3 * H), uniform(3 * H), uniform(H, 3 * H), uniform(3 * H))
              for i in range(a.layers)]
    return jax.random.normal(next(keys), (a.vocab, a.embedding)), layers, (uniform(H, a.vocab), np.zeros(a.vocab))


def gru(weights, x, h):
    w_input, b_input, w_hidden, b_hidden = weights

    def cell(h, x):
        xr, xz, xn = np.split(x, 3, -1)
        hr, hz, hn = np.split(h @ w_hidden + b_hidden, 3, -1)
        z = jax.nn.sigmoid(xz + hz)
        n = np.tanh(xn + jax.nn.sigmoid(xr + hr) * hn)
        h = n + z * (h - n)
        return h, h

    return jax.lax.scan(cell, h, x @ w_input + b_input)


def loss(parameters, inputs, targets, states):
    embedding, layers, (head, bias) = parameters
    x = embedding[inputs]
    after = []
    for weights, h in zip(layers, states):
        h, x = gru(weights, x, h)
        after.append(h)
    chosen = np.take_along_axis(jax.nn.log_softmax(x @ head + bias), targets[..., None], -1)
    return -chosen.mean(), after


def update(parameters, moments, number, inputs, targets, states):
    (value, states), gradients = jax.value_and_grad(loss, has_aux=True)(parameters, inputs, targets, states)
    each = jax.tree_util.tree_map
    norm = np.sqrt(sum((g * g).sum() for g in jax.tree_util.tree_leaves(gradients)))
    gradients = each(lambda g: g * np.minimum(1, 1 / (norm + 1e-6)), gradients)
    first = each(lambda m, g: 0.9 * m + 0.1 * g, moments[0], gradients)
    second = each(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], gradients)
    rate = 1e-3 * np.sqrt(1 - 0.999 ** number) / (1 - 0.9 ** number)
    parameters = each(lambda p, m, v: p - rate * m / (np.sqrt(v) + 1e-8), parameters, first, second)
    return parameters, (first, second), number + 1, states, value


jitted = jax.jit(update, donate_argnums=(0, 1))
parameters = network()
moments = tuple(jax.tree_util.tree_map(np.zeros_like, parameters) for _ in range(2))
states = [np.zeros((a.batch, H)) for _ in range(a.layers)]
number = np.float32(1)
data = jax.random.randint(jax.random.PRNGKey(2), (a.sequence + 1, a.batch), 0, a.vocab)
inputs, targets = data[:-1], data[1:]


def step():
    global parameters, moments, number, states
    parameters, moments, number, states, value = jitted(parameters, moments, number, inputs, targets, states)
    value.block_until_ready()


peer.report(step, a.seconds, a.batch * a.sequence, least=3)
