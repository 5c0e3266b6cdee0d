"""A recorded step replays on permanent buffers, bit for bit as eager: what a planner needs from the contract of primitives, and no more."""

from collections import Counter

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.backward import backward, nodes_above
from nettrain.autodiff.ops.dropout import Dropout
from nettrain.autodiff.primitive import View
from nettrain.autodiff.tensor import Tensor, apply


class Replay:
    """One recorded step, bound to buffers that are made once. `larger`, a replay of more rows, lends its buffers: their first
    elements, which are the rows [:m] where rows come first, and contiguous always.

    What is fed anew each step was recorded with requires_grad, so that what is made of it left a trace; gradients are taken only of what
    is made of the parameters, the keys of `slots`.
    """

    def __init__(self, loss, slots, larger=None):
        self.buffers, self._lent = [], iter(larger.buffers) if larger else None
        recorded = list(nodes_above(loss))
        values, consumers, bound, wanted = {}, Counter(), {}, {id(x) for x in slots}
        self.forwards = []
        for node, tensor in reversed(recorded):
            inputs = [values.setdefault(id(x), x.value) for x in node.inputs]
            shapes = [x.shape for x in inputs]
            if isinstance(node.primitive, View):
                out, scratch = node.primitive.view(inputs[0]), {}
            else:
                out = self._buffer(node.primitive.infer(*shapes), tensor.dtype)
                kept = node.primitive.scratch(*shapes).items()
                scratch = {
                    name: self._buffer(size, dtype or tensor.dtype) for name, (size, dtype) in kept
                }
                self.forwards.append((node.primitive, out, inputs, scratch))
            values[id(tensor)], bound[id(tensor)] = out, (out, inputs, scratch)
            consumers.update(id(x) for x in node.inputs)
            if any(id(x) in wanted for x in node.inputs):
                wanted.add(id(tensor))

        gradients, aliased = {id(x): slot for x, slot in slots.items()}, set()
        for node, tensor in reversed(recorded):
            alias = None
            if (
                isinstance(node.primitive, View)
                and id(tensor) in wanted
                and consumers[id(node.inputs[0])] == 1
            ):
                alias = node.primitive.alias(gradients[id(node.inputs[0])])
            if alias is not None:
                aliased.add(id(tensor))
            gradients[id(tensor)] = (
                self._buffer(tensor.shape, tensor.dtype) if alias is None else alias
            )

        self.value, self.seed = values[id(loss)], gradients[id(loss)]
        self.backwards, written = [], set()
        for node, tensor in recorded:
            if id(tensor) not in wanted or id(tensor) in aliased:
                continue
            grads, sums = [], []
            for x in node.inputs:
                slot = gradients[id(x)] if id(x) in wanted else None
                if id(x) in written:
                    slot = self._buffer(x.shape, x.dtype)
                    sums.append((gradients[id(x)], slot))
                elif slot is not None:
                    written.add(id(x))
                grads.append(slot)
            self.backwards.append(
                (node.primitive, grads, gradients[id(tensor)], bound[id(tensor)], sums)
            )

    def _buffer(self, shape, dtype):
        size = int(np.prod(shape))
        buffer = (
            np.empty(shape, dtype)
            if self._lent is None
            else next(self._lent).reshape(-1)[:size].reshape(shape)
        )
        self.buffers.append(buffer)
        return buffer

    def run(self):
        for primitive, out, inputs, scratch in self.forwards:
            primitive.forward(out, *inputs, **scratch)
        self.seed[...] = 1
        for primitive, grads, dy, (out, inputs, scratch), sums in self.backwards:
            primitive.backward(grads, dy, out, *inputs, **scratch)
            for total, part in sums:
                np.add(total, part, out=total)
        return self.value


def mlp(x, labels, w1, b1, w2, b2, generator):
    hidden = F.relu(x @ w1 + b1)
    return -F.pick(F.log_softmax(hidden @ w2 + b2), labels).mean()


def with_dropout(x, labels, w1, b1, w2, b2, generator):
    hidden = F.relu(apply(Dropout(0.1, generator), x * 0.5) @ w1 + b1)
    return -F.pick(F.log_softmax(apply(Dropout(0.3, generator), hidden) @ w2 + b2), labels).mean()


def with_views(x, labels, w1, b1, w2, b2, generator):
    """Shared weights, views of views and of what is not contiguous, one consumer and several, a value used twice by one operation."""
    hidden = F.tanh(x @ w1 + b1)
    back = (hidden @ w1.T - x).T.reshape(-1)
    logits = (
        (hidden.reshape(-1, 2, 6).transpose(1, 0, 2)[0] @ w2.reshape(2, 6, 3)[1]) + b2 + hidden @ w2
    )
    return (back * back).mean() - F.pick(F.log_softmax(logits), labels).mean()


SHAPES = {"w1": (10, 12), "b1": (12,), "w2": (12, 3), "b2": (3,)}
ROWS, LAST = 16, 5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("network", [mlp, with_dropout, with_views])
def test_a_replayed_step_equals_a_fresh_eager_step_bit_for_bit(network, dtype):
    data = np.random.Generator(np.random.PCG64(11))
    sizes = [int(np.prod(shape)) for shape in SHAPES.values()]
    weights, flat = data.normal(size=sum(sizes)).astype(dtype), np.empty(sum(sizes), dtype)
    x, labels = np.zeros((ROWS, 10), dtype), np.zeros(ROWS, np.int64)
    generator = np.random.Generator(np.random.Philox(0))

    def views(vector):
        parts = np.split(vector, np.cumsum(sizes)[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, SHAPES.values(), strict=True)]

    def record(rows, larger=None):
        parameters = [Tensor(w, requires_grad=True) for w in views(weights)]
        loss = network(
            Tensor(x[:rows], requires_grad=True), Tensor(labels[:rows]), *parameters, generator
        )
        return Replay(loss, dict(zip(parameters, views(flat), strict=True)), larger)

    whole = record(ROWS)
    short = record(LAST, larger=whole)
    assert all(np.shares_memory(a, b) for a, b in zip(short.buffers, whole.buffers, strict=True))
    for step, rows in enumerate([ROWS, ROWS, LAST, ROWS, LAST]):
        replay = whole if rows == ROWS else short
        for buffer in (*whole.buffers, flat):
            buffer.fill(np.nan if buffer.dtype.kind == "f" else 99)
        x[:rows], labels[:rows] = data.normal(size=(rows, 10)), data.integers(0, 3, rows)

        generator.bit_generator.state = np.random.Philox(step).state
        value = replay.run().copy()

        generator.bit_generator.state = np.random.Philox(step).state
        fresh = [Tensor(w.copy(), requires_grad=True) for w in views(weights)]
        loss = network(Tensor(x[:rows].copy()), Tensor(labels[:rows].copy()), *fresh, generator)
        gradients = backward(loss)
        np.testing.assert_array_equal(value, loss.value)
        np.testing.assert_array_equal(flat, np.concatenate([gradients[w].ravel() for w in fresh]))
        assert np.abs(flat).min() < np.abs(flat).max() < np.inf
        weights -= 0.1 * flat  # the next step is at another point
