"""Shapes: views, which copy nothing, and the copy that makes memory contiguous."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.primitive import Array, Linear, Shape, Slots, View


@dataclass(frozen=True)
class Reshape(View):
    """The same elements in the same order in another shape; one size may be -1.

    x must be contiguous.
    """

    shape: Shape

    def infer(self, *shapes: Shape) -> Shape:
        """The shape, its -1 filled in."""
        size = int(np.prod(shapes[0]))
        known = int(np.prod([n for n in self.shape if n != -1]))
        if self.shape.count(-1) > 1 or (
            size != known if -1 not in self.shape else known == 0 or size % known
        ):
            raise ValueError(f"cannot reshape {shapes[0]} ({size} elements) to {self.shape}")
        return tuple(size // known if n == -1 else n for n in self.shape)

    def view(self, x: Array) -> Array:
        return x.reshape(self.infer(x.shape))

    def alias(self, dx: Array) -> Array | None:
        return self.view(dx) if dx.flags.c_contiguous else None

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        dx[...] = dy.reshape(dx.shape)


@dataclass(frozen=True)
class Transpose(View):
    """The axes in another order."""

    axes: tuple[int, ...]

    def infer(self, *shapes: Shape) -> Shape:
        """The sizes in the new order."""
        return tuple(shapes[0][a] for a in self.axes)

    def view(self, x: Array) -> Array:
        return x.transpose(self.axes)

    def alias(self, dx: Array) -> Array | None:
        seen = self.view(dx)
        return (
            seen if seen.flags.c_contiguous else None
        )  # a product written across the rows may get other bits than eager's

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        self.view(grads[0])[...] = dy


@dataclass(frozen=True)
class Broadcast(View):
    """y = x repeated along new leading axes and axes of size 1;  dx = dy summed over the repeats.

    This is the only place where gradients are un-broadcast.
    """

    shape: Shape

    def infer(self, *shapes: Shape) -> Shape:
        """The new shape."""
        if np.broadcast_shapes(shapes[0], self.shape) != self.shape:
            raise ValueError(f"shape {shapes[0]} does not broadcast to {self.shape}")
        return self.shape

    def view(self, x: Array) -> Array:
        return np.broadcast_to(x, self.shape)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        new = dy.ndim - dx.ndim
        repeated = tuple(range(new)) + tuple(a + new for a, n in enumerate(dx.shape) if n == 1)
        np.add.reduce(
            dy,
            axis=repeated,
            out=dx.reshape([n for a, n in enumerate(dx.shape) if a + new not in repeated]),
        )


@dataclass(frozen=True)
class Slice(View):
    """y = x[key] for slices, integers, None and the ellipsis;  dx is dy there and 0 elsewhere."""

    key: tuple[Any, ...]

    def infer(self, *shapes: Shape) -> Shape:
        """The shape of what is left."""
        return self.view(np.broadcast_to(np.empty(()), shapes[0])).shape

    def view(self, x: Array) -> Array:
        # with an ellipsis even one element is an array
        return x[self.key] if Ellipsis in self.key else x[(*self.key, ...)]

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        dx[...] = 0
        self.view(dx)[...] = dy


class Copy(Linear):
    """y = x in contiguous memory of its own;  dx = dy."""

    keeps_type = True

    def infer(self, *shapes: Shape) -> Shape:
        """Unchanged."""
        return shapes[0]

    def forward(self, out: Array, x: Array) -> None:
        out[...] = x

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        grads[0][...] = dy
