"""The contract of every operation: written once, run eagerly on fresh arrays or replayed on permanent buffers.

An operation never allocates its results. It is given

    out       where `forward` writes the value
    grads     a slot an input, where `backward` writes the gradient; None: not wanted
    scratch   the arrays it asked for in `scratch`, by name, as keyword arguments of every method

and it writes, never accumulates: where a value has several consumers the engine adds. Gradients are d + name: dy is the gradient of
the final result with respect to this operation's output, dx with respect to an input. An operation names its inputs and its scratch
in its own signatures: `forward(self, out, a, b)`, `backward(self, grads, dy, out, x, *, mask)`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

Shape = tuple[int, ...]
Array = np.ndarray
Slots = Sequence[Any]  # an array or None for each input
Scratch = dict[str, tuple[Shape, type | None]]
Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def make(calls: Iterable[Call]) -> None:
    """Make the calls, one after the other."""
    for function, args, named in calls:
        function(*args, **named)


class Primitive(ABC):
    """One operation.

    reads     what `backward` needs: positions of inputs, "out", names in `scratch`. Whatever is not named may have been overwritten
              by then: the planner shares and reuses buffers by it, and a test fills the rest with NaN.
    in_place  positions of inputs whose memory `forward` may be given for `out`: no element of such an input is read after the element
              of `out` in its place is written
    gradient_in_place  the same of `backward`, for dy and the first slot that is wanted
    """

    reads: ClassVar[tuple[int | str, ...]] = ()
    in_place: ClassVar[tuple[int, ...]] = ()
    gradient_in_place: ClassVar[bool] = False

    @abstractmethod
    def infer(self, *shapes: Shape) -> Shape:
        """The shape of the output. Raises ValueError, naming the shapes, where the inputs do not fit."""

    def scratch(self, *shapes: Shape) -> Scratch:
        """Arrays kept from forward to backward, or used within one of them: name -> (shape, dtype; None: that of the output)."""
        return {}

    @abstractmethod
    def forward(self, *args: Any, **scratch: Any) -> None:
        """forward(out, *inputs): write the value into out, every element of it."""

    @abstractmethod
    def backward(self, *args: Any, **scratch: Any) -> None:
        """backward(grads, dy, out, *inputs): write the gradient of each wanted input into its slot, every element; dy is only read."""

    @abstractmethod
    def tangent(self, *args: Any, **scratch: Any) -> None:
        """tangent(dout, dinputs, out, *inputs): forward mode, first order only: write J dx into dout for the tangents dx (None: zero)."""

    def forward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        """forward_calls(out, *inputs): the calls that together do what `forward` does with these arrays, whatever they hold by then.

        A plan makes them at each replay: what can be looked up once (a view, a compiled loop) stands in them.
        """
        return [(self.forward, args, scratch)]

    def backward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        """backward_calls(grads, dy, out, *inputs): the same for `backward`."""
        return [(self.backward, args, scratch)]

    def forward_tiles(self, *args: Any, **scratch: Any) -> list[list[list[Call]]] | None:
        """What `forward` does, divided: phases, each of lanes of calls. The lanes of a phase are independent: threads may share them.

        None: it is not worth dividing. How it is divided depends on shapes alone, and not on the number of rows: shards are divided alike.
        """
        return None

    def backward_tiles(self, *args: Any, **scratch: Any) -> list[list[list[Call]]] | None:
        """The same of `backward`."""
        return None


class ElementWise(Primitive):
    """Element i of the output depends on element i of each input (all of one shape), so the Jacobian is diagonal and its own transpose."""

    def infer(self, *shapes: Shape) -> Shape:
        """The shape that all inputs share."""
        if any(shape != shapes[0] for shape in shapes):
            raise ValueError(
                f"{type(self).__name__} wants inputs of one shape, got {' and '.join(map(str, shapes))}"
            )
        return shapes[0]

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, *inputs: Array, **scratch: Array
    ) -> None:
        """J dx = sum over inputs of backward(dx), the Jacobian being diagonal."""
        dout[...] = 0
        part = np.empty_like(dout)
        for i, dx in enumerate(dinputs):
            if dx is not None:
                slots = [part if j == i else None for j in range(len(inputs))]
                self.backward(slots, dx, out, *inputs, **scratch)
                dout += part


class Linear(Primitive):
    """The output is linear in all inputs together, so a tangent passes through `forward`."""

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, *inputs: Array, **scratch: Array
    ) -> None:
        """J dx = forward(dx)."""
        given = (
            np.zeros_like(x) if dx is None else dx for x, dx in zip(inputs, dinputs, strict=True)
        )
        self.forward(dout, *given, **scratch)


class Multilinear(Primitive):
    """The output is linear in each input alone: J dx = sum over inputs of forward with that input replaced by its tangent."""

    def tangent(
        self, dout: Array, dinputs: Slots, out: Array, *inputs: Array, **scratch: Array
    ) -> None:
        """The product rule."""
        dout[...] = 0
        part = np.empty_like(dout)
        for i, dx in enumerate(dinputs):
            if dx is not None:
                self.forward(part, *inputs[:i], dx, *inputs[i + 1 :], **scratch)
                dout += part


class View(Linear):
    """Looks at its input's memory in another shape; it writes nothing on the way forward."""

    @abstractmethod
    def view(self, x: Array) -> Array:
        """The view of x."""

    def alias(self, dx: Array) -> Array | None:
        """A contiguous view of dx in which writing dy is writing dx itself; None where `backward` must write a buffer."""
        return None

    def forward(self, out: Array, x: Array) -> None:
        """Copy the view; for tangents and for outputs that need memory of their own."""
        out[...] = self.view(x)


class Barrier(Primitive):
    """Makes of rows a value that all rows share (a batch's mean). Where the rows are divided into shards, the shards meet here.

    Each shard runs `forward` on its own rows, `merge` makes the common value of theirs; on the way back the shards' dy are added up,
    each runs `backward` with the sum, and `rescale` makes its dx a part of the whole.
    """

    @abstractmethod
    def merge(self, outs: Sequence[Array], inputs: Sequence[Array]) -> None:
        """Write the value of all rows into every one of outs, which hold those of the shards, made from these inputs."""

    @abstractmethod
    def rescale(self, dx: Array, share: float) -> None:
        """Turn dx, as `backward` writes it for the rows of a shard alone, into that for a shard which is a `share` of all rows."""
