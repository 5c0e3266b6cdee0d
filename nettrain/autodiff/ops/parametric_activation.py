"""An activation with a strength for each unit."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.compiled import all_slots, call, compiled_form, compiles, contiguous
from nettrain.autodiff.primitive import (
    Array,
    Call,
    DefinedByCalls,
    ElementWise,
    Scratch,
    Shape,
    Slots,
)
from nettrain.jit import jit


@dataclass(frozen=True)
class ParametricActivation(DefinedByCalls):
    """y = x + a (f(x) - x): fusion makes it of a repeated a.

    With d = a dy: dx = dy - d + d f'(x), da = sum over rows of dy (f(x) - x). Bitwise identical to
    its operations one after the other. x (n, ..., *shape of a) -> y like x.

    Attributes:
        function: f.
    """

    function: ElementWise

    @property
    def reads(self) -> tuple[int | str, ...]:  # type: ignore[override]
        """Those of the function, whose output is `value`."""
        return (0, 1, "bend", "value", *(n for n in self.function.reads if isinstance(n, str)))

    def infer(self, *shapes: Shape) -> Shape:
        """That of x."""
        x, a = shapes
        if not a or x[-len(a) :] != a:
            raise ValueError(
                f"parametric activation takes x (n, ..., *a) and a, got shapes {x} and {a}"
            )
        return x

    def scratch(self, *shapes: Shape) -> Scratch:
        """That of the function; bend: f(x) - x; value: f(x), if f reads it; weighted: d."""
        x = shapes[0]
        names = ["bend", "weighted", *(["value"] if "out" in self.function.reads else [])]
        return self.function.scratch(x) | dict.fromkeys(names, (x, None))

    def forward_calls(self, out: Array, x: Array, a: Array, **scratch: Array) -> list[Call]:
        """The function, then what it bends, then its share."""
        bend, value, own = self._arrays(scratch)
        return [
            *self.function.forward_calls(value, x, **own),
            (np.subtract, (value, x, bend), {}),
            (np.multiply, (bend, a, out), {}),
            (np.add, (x, out, out), {}),
        ]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, a: Array, **scratch: Array
    ) -> list[Call]:
        """First da, then dx."""
        (dx, da), weighted = grads, scratch["weighted"]
        bend, value, own = self._arrays(scratch)
        over: Any = tuple(range(x.ndim - a.ndim))
        calls: list[Call] = []
        if da is not None:
            calls.append((np.multiply, (dy, bend, weighted), {}))
            calls.append((np.add.reduce, (weighted, over, None, da), {}))
        if dx is not None:
            calls += [
                (np.multiply, (dy, a, weighted), {}),
                *self.function.backward_calls([dx], weighted, value, x, **own),
                (np.subtract, (dy, weighted, weighted), {}),
                (np.add, (weighted, dx, dx), {}),
            ]
        return calls

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, x: Array, a: Array, **scratch: Array
    ) -> None:
        """J (dx, da) = dx + a (f'(x) dx - dx) + da (f(x) - x)."""
        dx, da = dinputs
        bend, value, own = self._arrays(scratch)
        dout[...] = 0
        if dx is not None:
            self.function.backward([dout], dx, value, x, **own)
            dout[...] = dx + a * (dout - dx)
        if da is not None:
            dout += da * bend

    def _arrays(self, scratch: dict[str, Array]) -> tuple[Array, Array, dict[str, Array]]:
        """f(x) - x, f(x) (in the same array, if f does not read it), and the function's scratch."""
        own = {n: x for n, x in scratch.items() if n not in ("bend", "value", "weighted")}
        return scratch["bend"], scratch.get("value", scratch["bend"]), own


@jit
def _bend_loop(y: Array, bend: Array, value: Array, x: Array, a: Array) -> None:
    for i in range(x.shape[0]):
        for j in range(a.size):
            bend[i, j] = value[i, j] - x[i, j]
            y[i, j] = x[i, j] + bend[i, j] * a[j]


@jit
def _weight_loop(d: Array, da: Array, dy: Array, bend: Array, a: Array) -> None:
    da[:] = 0
    for i in range(dy.shape[0]):
        for j in range(a.size):
            da[j] += dy[i, j] * bend[i, j]
            d[i, j] = dy[i, j] * a[j]


@jit
def _add_loop(dx: Array, dy: Array, d: Array) -> None:
    for i in range(dx.size):
        dx[i] = (dy[i] - d[i]) + dx[i]


@compiles(ParametricActivation)
class CompiledParametricActivation(ParametricActivation):
    """The function's compiled form, and a loop for what stands before or behind it."""

    def forward_calls(self, out: Array, x: Array, a: Array, **scratch: Array) -> list[Call]:
        if not a.size or not contiguous(x, a):
            return super().forward_calls(out, x, a, **scratch)
        bend, value, own = self._arrays(scratch)
        y, bend, flat, x_rows = (z.reshape(-1, a.size) for z in (out, bend, value, x))
        return [
            *compiled_form(self.function).forward_calls(value, x, **own),
            call(_bend_loop, y, bend, flat, x_rows, a.reshape(-1)),
        ]

    def backward_calls(
        self, grads: Slots, dy: Array, out: Array, x: Array, a: Array, **scratch: Array
    ) -> list[Call]:
        (dx, da), weighted = grads, scratch["weighted"]
        if dx is None or not a.size or not contiguous(dx, da, dy, x, a):
            return super().backward_calls(grads, dy, out, x, a, **scratch)
        [da] = all_slots([da], [a])
        bend, value, own = self._arrays(scratch)
        d, dy_rows, bend_rows = (z.reshape(-1, a.size) for z in (weighted, dy, bend))
        return [
            call(_weight_loop, d, da.reshape(-1), dy_rows, bend_rows, a.reshape(-1)),
            *compiled_form(self.function).backward_calls([dx], weighted, value, x, **own),
            call(_add_loop, dx.reshape(-1), dy.reshape(-1), weighted.reshape(-1)),
        ]
