"""What twins have in common: they say their calls, and run by making them."""

from typing import Any

from numpy.lib.stride_tricks import as_strided

from nettrain.autodiff.primitive import Array, Call, Primitive
from nettrain.jit import entry


class Twin(Primitive):
    """First base of a twin, before its operation.

    A twin says `forward_calls` and `backward_calls`, or one of them; those here are the operation's own.
    """

    def forward(self, *args: Any, **scratch: Any) -> None:
        """Make the calls."""
        for function, arguments, named in self.forward_calls(*args, **scratch):
            function(*arguments, **named)

    def backward(self, *args: Any, **scratch: Any) -> None:
        """Make the calls."""
        for function, arguments, named in self.backward_calls(*args, **scratch):
            function(*arguments, **named)

    def forward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        """What the operation does without compiled loops."""
        calls = super().forward_calls
        return [(super().forward, args, scratch)] if _in_general(calls) else calls(*args, **scratch)  # type: ignore[safe-super]

    def backward_calls(self, *args: Any, **scratch: Any) -> list[Call]:
        """What the operation does without compiled loops."""
        calls = super().backward_calls
        return (
            [(super().backward, args, scratch)] if _in_general(calls) else calls(*args, **scratch)
        )  # type: ignore[safe-super]


def _in_general(calls: Any) -> bool:
    """Whether these are the calls of any operation: itself, which a twin would hand on to its calls."""
    return calls.__func__ in (Primitive.forward_calls, Primitive.backward_calls)


def contiguous(*arrays: Array | None) -> bool:
    """Whether all are in the order of memory; None is."""
    return all(x is None or x.flags.c_contiguous for x in arrays)


def flat(*arrays: Array) -> list[Array] | None:
    """Views of all in one axis; None where one is not contiguous."""
    return [x.reshape(-1) for x in arrays] if contiguous(*arrays) else None


def rows(x: Array) -> Array:
    """A view of a contiguous array in two axes, the last one kept."""
    return x.reshape(-1, x.shape[-1])


def wide(x: Array) -> Array:
    """Some columns of a contiguous matrix as a contiguous array that begins with them: a loop over strided rows takes 5 times as long.

    What follows them in a row belongs to others, and may lie beyond the end of the memory: loops must not touch it.
    """
    if (
        x.ndim != 2
        or x.flags.c_contiguous
        or x.strides[1] != x.itemsize
        or x.strides[0] < x.shape[1] * x.itemsize
    ):
        return x
    return as_strided(x, (x.shape[0], x.strides[0] // x.itemsize), x.strides)


def call(loop: Any, *args: Any) -> Call:
    """The call of a compiled loop on these arguments."""
    return entry(loop, *args), args, {}
