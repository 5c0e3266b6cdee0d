"""Twins of what chooses by value."""

from nettrain.autodiff.compiled._twin import Twin, call, flat
from nettrain.autodiff.ops import selection
from nettrain.autodiff.primitive import Array, Call, Slots
from nettrain.jit import jit


@jit
def _relu(y: Array, x: Array) -> None:
    zero = x.dtype.type(0)
    for i in range(x.size):
        y[i] = zero if x[i] <= zero else x[i]  # NaN stays


@jit
def _back_relu(dx: Array, dy: Array, y: Array) -> None:
    zero, one = y.dtype.type(0), y.dtype.type(1)
    for i in range(y.size):
        dx[i] = (one if y[i] > zero else y[i]) * dy[i]  # 0 or NaN


class Relu(Twin, selection.Relu):
    """One loop each way. NumPy's maximum has no vector instructions for a number beside an array: four times as slow."""

    def forward_calls(self, out: Array, x: Array) -> list[Call]:
        arrays = flat(out, x)
        return super().forward_calls(out, x) if arrays is None else [call(_relu, *arrays)]

    def backward_calls(self, grads: Slots, dy: Array, out: Array, x: Array) -> list[Call]:
        arrays = flat(grads[0], dy, out)
        return (
            super().backward_calls(grads, dy, out, x)
            if arrays is None
            else [call(_back_relu, *arrays)]
        )


@jit
def _leaky_relu(y: Array, x: Array, slope: float) -> None:
    zero, falling = x.dtype.type(0), x.dtype.type(slope)
    for i in range(x.size):
        y[i] = x[i] if x[i] > zero else x[i] * falling


@jit
def _back_leaky_relu(dx: Array, dy: Array, x: Array, slope: float) -> None:
    zero, one, falling = x.dtype.type(0), x.dtype.type(1), x.dtype.type(slope)
    for i in range(x.size):
        dx[i] = (falling if x[i] <= zero else one) * dy[i]


class LeakyRelu(Twin, selection.LeakyRelu):
    """One loop each way."""

    def forward_calls(self, out: Array, x: Array, **scratch: Array) -> list[Call]:
        arrays = flat(out, x)
        return (
            super().forward_calls(out, x, **scratch)
            if arrays is None
            else [call(_leaky_relu, *arrays, self.slope)]
        )

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, **scratch: Array
    ) -> list[Call]:
        arrays = flat(grads[0], dy, x)
        if arrays is None:
            return super().backward_calls(grads, dy, out, x, **scratch)
        return [call(_back_leaky_relu, *arrays, self.slope)]
