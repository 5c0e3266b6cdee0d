"""A place to look at what passes through."""

from collections.abc import Callable
from dataclasses import dataclass, field

from nettrain.autodiff.primitive import Array, Primitive, Shape, Slots


@dataclass(frozen=True)
class Probe(Primitive):
    """y = x;  dx = dy. `values` is shown x on the way forward, `gradients` dy on the way back; they must not change them."""

    values: Callable[[Array], None] = field(compare=False)
    gradients: Callable[[Array], None] = field(compare=False)

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
        """J dx = dx, unseen."""
        dout[...] = dinputs[0]
