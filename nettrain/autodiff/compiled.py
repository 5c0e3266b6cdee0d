"""Compiled forms of operations: subclasses whose calls are compiled loops.

Each is defined below its operation, in the same file. It has the scratch and the contract of the
operation; its backward pass may read other arrays. What it computes element by element is bitwise
identical to NumPy; sums and exponentials are rounded differently.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nettrain.autodiff.primitive import Array, Call, Primitive, Slots
from nettrain.jit import Loop

Form = TypeVar("Form", bound=type[Primitive])
_forms: dict[type[Primitive], type[Primitive]] = {}


def compiles(operation: type[Primitive]) -> Callable[[Form], Form]:
    """Class decorator: this subclass is the compiled form of the operation."""

    def register(form: Form) -> Form:
        _forms[operation] = form
        return form

    return register


def compiled_forms() -> dict[type[Primitive], type[Primitive]]:
    """Every operation that has a compiled form, and that form."""
    return dict(_forms)


def compiled_form(primitive: Primitive) -> Primitive:
    """The primitive with compiled loops; the same primitive if its class has no compiled form."""
    form = _forms.get(type(primitive))
    if form is None:
        return primitive
    other: Primitive = object.__new__(form)
    vars(other).update(vars(primitive))
    return other


def call(loop: Loop, *args: Any) -> Call:
    """The call of a compiled loop on these arguments; their types are looked up here, once."""
    return loop.entry(*args), args, {}


def contiguous(*arrays: Array | None) -> bool:
    """Whether all arrays are C-contiguous; None counts as such."""
    return all(x is None or x.flags.c_contiguous for x in arrays)


def all_slots(slots: Slots, inputs: Sequence[Array]) -> list[Array]:
    """The slots, with an array in place of None, for loops that compute all gradients at once."""
    return [
        np.empty(x.shape, x.dtype) if slot is None else slot  # contiguous, whatever x is
        for slot, x in zip(slots, inputs, strict=True)
    ]


def flat_calls(loop: Loop, arrays: tuple[Array, ...], *numbers: Any) -> list[Call]:
    """The call of a loop on one-dimensional views of the arrays; none if one is not contiguous."""
    if not contiguous(*arrays):
        return []
    return [call(loop, *(x.reshape(-1) for x in arrays), *numbers)]


def rows(x: Array) -> Array:
    """A two-dimensional view of a contiguous array that keeps its last axis."""
    return x.reshape(-1, x.shape[-1])


def wide(x: Array) -> Array:
    """Some columns of a contiguous matrix, as a contiguous array that begins with them.

    A loop over strided rows takes 5 times as long. Loops must not touch the further columns: they
    belong to others, and may lie beyond the end of the memory.
    """
    if (
        x.ndim != 2
        or x.flags.c_contiguous
        or x.strides[1] != x.itemsize
        or x.strides[0] < x.shape[1] * x.itemsize
    ):
        return x
    return as_strided(x, (x.shape[0], x.strides[0] // x.itemsize))
