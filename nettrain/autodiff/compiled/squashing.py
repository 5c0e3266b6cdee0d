"""Twins of what squashes."""

import numpy as np

from nettrain.autodiff.compiled._exponential import exp
from nettrain.autodiff.compiled._twin import Twin, call, flat
from nettrain.autodiff.ops import squashing
from nettrain.autodiff.primitive import Array, Call, Slots
from nettrain.jit import jit


@jit
def _sigmoid(y: Array, x: Array) -> None:
    one = x.dtype.type(1)
    most = np.log(np.finfo(x.dtype).max) - one  # as in NumPy's form: never quite 0
    for i in range(x.size):
        y[i] = one / (one + exp(most if -x[i] > most else -x[i]))


@jit
def _back_sigmoid(dx: Array, dy: Array, y: Array) -> None:
    one = y.dtype.type(1)
    for i in range(y.size):
        dx[i] = (one - y[i]) * y[i] * dy[i]


class Sigmoid(Twin, squashing.Sigmoid):
    """One loop each way."""

    def forward_calls(self, out: Array, x: Array) -> list[Call]:
        arrays = flat(out, x)
        return super().forward_calls(out, x) if arrays is None else [call(_sigmoid, *arrays)]

    def backward_calls(self, grads: Slots, dy: Array, out: Array, x: Array) -> list[Call]:
        arrays = flat(grads[0], dy, out)
        return (
            super().backward_calls(grads, dy, out, x)
            if arrays is None
            else [call(_back_sigmoid, *arrays)]
        )


@jit
def _back_tanh(dx: Array, dy: Array, y: Array) -> None:
    one = y.dtype.type(1)
    for i in range(y.size):
        dx[i] = (one - y[i] * y[i]) * dy[i]


class Tanh(Twin, squashing.Tanh):
    """The derivative and its product in one loop; NumPy's tanh is as fast as a loop."""

    def backward_calls(self, grads: Slots, dy: Array, out: Array, x: Array) -> list[Call]:
        arrays = flat(grads[0], dy, out)
        return (
            super().backward_calls(grads, dy, out, x)
            if arrays is None
            else [call(_back_tanh, *arrays)]
        )
