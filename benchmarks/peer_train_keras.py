#!/usr/bin/env python3
"""Keras' training speed, on TensorFlow: the step of peer_train.py of Keras' own layers and Adam, in
one `tf.function`."""
import peer

a = peer.arguments(__doc__, batch=32)
peer.hold_to_processors(a.threads)

import tensorflow as tf  # noqa: E402  (after the thread limits)
from tensorflow import keras  # noqa: E402

tf.config.threading.set_intra_op_parallelism_threads(a.threads)
tf.config.threading.set_inter_op_parallelism_threads(1)
embedding = keras.layers.Embedding(a.vocab, a.embedding)
layers = [keras.layers.GRU(a.hidden, return_sequences=True, return_state=True) for _ in range(a.layers)]
head = keras.layers.Dense(a.vocab)
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
adam = keras.optimizers.Adam(1e-3)
data = tf.random.uniform((a.batch, a.sequence + 1), 0, a.vocab, tf.int32)
states = [tf.zeros((a.batch, a.hidden)) for _ in layers]


def network(x, states):
    x = embedding(x)
    after = []
    for layer, state in zip(layers, states):
        x, state = layer(x, initial_state=state)
        after.append(state)
    return head(x), after


network(data[:, :-1], states)
variables = [v for layer in (embedding, *layers, head) for v in layer.trainable_variables]
adam.build(variables)


@tf.function
def update(inputs, targets, states):
    with tf.GradientTape() as tape:
        logits, states = network(inputs, states)
        loss = entropy(targets, logits)
    gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 1)
    adam.apply_gradients(zip(gradients, variables))
    return loss, states


def step():
    global states
    loss, states = update(data[:, :-1], data[:, 1:], states)
    loss.numpy()


peer.report(step, a.seconds, a.batch * a.sequence, least=3)
