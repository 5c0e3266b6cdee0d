"""A probe, which watches values and gradients."""

from collections.abc import Callable
from dataclasses import dataclass

from nettrain.autodiff.primitive import Array, Primitive, Shape, Slots


@dataclass(frozen=True)
class Probe(Primitive):
    """y = x;  dx = dy.

    Attributes:
        values: Called with x in the forward pass; it must not change it.
        gradients: Called with dy in the backward pass; it must not change it.
    """

    values: Callable[[Array], None]
    gradients: Callable[[Array], None]

    def infer(self, *shapes: Shape) -> Shape:
        """Unchanged."""
        return shapes[0]

    def forward(self, out: Array, x: Array) -> None:
        out[...] = x
        self.values(out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        grads[0][...] = dy
        self.gradients(dy)

    def tangent(self, dout: Array, dinputs: Slots, out: Array, x: Array) -> None:
        """J dx = dx, which is not watched."""
        dout[...] = dinputs[0]
