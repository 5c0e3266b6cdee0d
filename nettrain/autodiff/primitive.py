"""The contract of operations: defined once, run eagerly or in plans on permanent arrays.

An operation never allocates its results. It is given

    out       where `forward` writes the value
    grads     one slot per input, where `backward` writes the gradient; None: not required
    scratch   the arrays that its method `scratch` declares, by name, as keyword arguments

Engines give contiguous arrays as out and scratch; inputs, slots and dy may have gaps.

It writes and never accumulates: where a value has several consumers, the engine adds. Gradients are
d + name: dy is the gradient of the final result with respect to the output of this operation, dx
with respect to an input. An operation names its inputs and its scratch in its own signatures:
`forward(self, out, a, b)`, `backward(self, grads, dy, out, x, *, mask)`.
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


def make_calls(calls: Iterable[Call]) -> None:
    """Make the calls, one after the other."""
    for function, args, named in calls:
        function(*args, **named)


class Primitive(ABC):
    """One operation.

    Attributes:
        reads: What `backward` needs: positions of inputs, "out", names in `scratch`. Plans reuse
            the memory of everything else, and a test fills it with NaN.
        in_place: Positions of inputs whose memory may be `out` too: `forward` reads no element of
            such an input after it has written that element of `out`.
        keeps_type: Whether the output has the type of the first input, integers too; otherwise it
            is the float type of the inputs.
        gradient_in_place: Whether the memory of dy may be the first required slot too: the same of
            `backward`.
    """

    reads: ClassVar[tuple[int | str, ...]] = ()
    in_place: ClassVar[tuple[int, ...]] = ()
    gradient_in_place: ClassVar[bool] = False
    keeps_type: ClassVar[bool] = False

    @abstractmethod
    def infer(self, *shapes: Shape) -> Shape:
        """The shape of the output.

        Raises:
            ValueError: The shapes do not fit.
        """

    def scratch(self, *shapes: Shape) -> Scratch:
        """The arrays that are kept from forward to backward, or used within one of them.

        Returns:
            By name, the shape and the type; None: the type of the output.
        """
        return {}

    @abstractmethod
    def forward(self, *args: Any, **scratch: Any) -> None:
        """forward(out, *inputs): write the value into every element of out."""

    @abstractmethod
    def backward(self, *args: Any, **scratch: Any) -> None:
        """backward(grads, dy, out, *inputs): write every element of the slots that are not None.

        dy is only read.
        """

    @abstractmethod
    def tangent(self, *args: Any, **scratch: Any) -> None:
        """tangent(dout, dinputs, out, *inputs): forward mode: write J dx into dout.

        First order only. A tangent of `dinputs` that is None is zero.
        """

    def forward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        """forward_calls(out, *inputs): the calls that do what `forward` does, on these arrays.

        A plan makes them at each replay, when the arrays hold other values: what can be looked up
        once (a view, a compiled loop) is looked up here.
        """
        return [(self.forward, args, scratch)]

    def backward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        """backward_calls(grads, dy, out, *inputs): the calls that do what `backward` does."""
        return [(self.backward, args, scratch)]

    def added_calls(self, *args: Any, **scratch: Any) -> list[Call] | None:
        """added_calls(total, dy, out, x): the calls that add dx, of the only input, to `total`.

        None: dx is written elsewhere, and the engine adds it.
        """
        return None

    def factors(self, *args: Any, **scratch: Any) -> tuple[Array, Array] | None:
        """factors(dy, x, w): matrices a and b whose product a b is the gradient dw.

        They are complete after `backward` without a slot for w, so that the product can be made
        later. None: dw is no such product, or is divided in tiles.
        """
        return None

    def forward_tiles(self, *args: Any, **scratch: Any) -> list[list[list[Call]]] | None:
        """The calls of `forward` in phases, each of independent queues that may run in parallel.

        The division depends on shapes alone, and not on the number of rows: shards are divided
        alike. None: it is not worth dividing.
        """
        return None

    def backward_tiles(self, *args: Any, **scratch: Any) -> list[list[list[Call]]] | None:
        """The calls of `backward`, divided likewise."""
        return None


class DefinedByCalls(Primitive):
    """An operation that is defined by its calls: `forward` and `backward` make them."""

    def forward(self, *args: Any, **scratch: Any) -> None:
        """Make the calls of `forward_calls`."""
        make_calls(self.forward_calls(*args, **scratch))

    def backward(self, *args: Any, **scratch: Any) -> None:
        """Make the calls of `backward_calls`."""
        make_calls(self.backward_calls(*args, **scratch))

    @abstractmethod
    def forward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        """forward_calls(out, *inputs)."""

    @abstractmethod
    def backward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        """backward_calls(grads, dy, out, *inputs)."""


class ElementWise(Primitive):
    """Element i of the output depends on element i of each input; all have one shape.

    So the Jacobian is diagonal, and its own transpose.
    """

    def infer(self, *shapes: Shape) -> Shape:
        """The shape that all inputs share."""
        if any(shape != shapes[0] for shape in shapes):
            given = " and ".join(map(str, shapes))
            raise ValueError(f"{type(self).__name__} takes inputs of one shape, got {given}")
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
    """The output is linear in each input alone.

    J dx = sum over inputs of forward with that input replaced by its tangent.
    """

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
    """A view of its input's memory in another shape; the forward pass writes nothing."""

    @abstractmethod
    def view(self, x: Array) -> Array:
        """The view of x."""

    def alias(self, dx: Array) -> Array | None:
        """A contiguous view of dx, such that writing dy into it writes dx.

        None: there is none, and `backward` writes a buffer.
        """
        return None

    def forward(self, out: Array, x: Array) -> None:
        """Copy the view; for tangents and for outputs that need memory of their own."""
        out[...] = self.view(x)


class Barrier(Primitive):
    """Computes a value that all rows share (the mean of a batch): shards synchronize here.

    Each shard runs `forward` on its own rows, then `merge` combines their values. In the backward
    pass the dy of the shards are summed, and each runs `backward` with its share of the sum: that
    of its rows in all rows, as the value is a mean.
    """

    @abstractmethod
    def merge(self, outs: Sequence[Array], counts: Sequence[int]) -> None:
        """Write the value of all rows into the first of outs; the others may be overwritten.

        Args:
            outs: The value of each shard.
            counts: How many elements of the input each element of it was made of.
        """
