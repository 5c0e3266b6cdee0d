"""The eager engine: a Tensor is an array that remembers the operation that made it."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np

from nettrain.autodiff.ops import arithmetic, indexing, matmul, reduction, selection, shape
from nettrain.autodiff.primitive import Array, Primitive, View
from nettrain.autodiff.trace import current

_ages = count()


class Node:
    """One application of a primitive.

    Attributes:
        age: Higher for later nodes: the order of creation is a topological order.
        origin: Its own age; of a fused node, the age of the first node that it replaces.
        primitive: The operation.
        inputs: The tensors that it was applied to.
        out: The array of its output.
        scratch: Its other arrays by name.
    """

    __slots__ = ("age", "inputs", "origin", "out", "primitive", "scratch")

    def __init__(
        self,
        primitive: Primitive,
        inputs: "tuple[Tensor, ...]",
        out: Array,
        scratch: dict[str, Array],
    ) -> None:
        self.age = self.origin = next(_ages)
        self.primitive = primitive
        self.inputs = inputs
        self.out = out
        self.scratch = scratch


def now() -> int:
    """An age above that of every node so far and below that of every later one."""
    return next(_ages)


class Tensor:
    """An array in a computation.

    `value` is the array itself: do not write to it while gradients are still to be computed. A
    tensor made from one with `requires_grad` requires a gradient too. What is made from such a
    tensor, or from a `feed` (an array that gets new contents before each replay of a plan), is
    traced: it keeps its `node`. Everything else is a constant and leaves no trace.
    """

    __slots__ = ("__weakref__", "node", "requires_grad", "traced", "value")
    __array_priority__ = 1000  # array + Tensor must ask the Tensor

    def __init__(
        self, value: Any, requires_grad: bool = False, *, feed: bool = False, dtype: Any = None
    ) -> None:
        value = np.asarray(value, dtype=dtype)
        if requires_grad and value.dtype.kind in "iub":
            value = value.astype(np.float64)
        self.value: Array = value
        self.requires_grad = requires_grad
        self.traced = requires_grad or feed
        self.node: Node | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.value.ndim

    @property
    def dtype(self) -> np.dtype:
        """The type of the elements."""
        return self.value.dtype

    def read(self) -> Array:
        """The value, for Python to look at.

        While a plan is recorded, this marks data-dependent control flow, which no plan can replay.
        """
        recording = current()
        if self.traced and recording is not None:
            recording.mark_data_dependent()
        return self.value

    def numpy(self) -> Array:
        """A copy of the value."""
        return self.read().copy()

    def item(self) -> float:
        """The value of a tensor of one element."""
        return float(self.read().item())

    def __float__(self) -> float:
        return self.item()

    def __bool__(self) -> bool:
        return bool(self.read())

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> "Iterator[Tensor]":
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        made = (
            f", from {type(self.node.primitive).__name__}"
            if self.node
            else ", requires_grad"
            if self.requires_grad
            else ""
        )
        return f"Tensor({self.value!r}{made})"

    # Comparisons give plain arrays without a derivative, for `where` or Python's own `if`.
    def __lt__(self, other: Any) -> Array:
        return np.asarray(self.read() < _read(other))

    def __le__(self, other: Any) -> Array:
        return np.asarray(self.read() <= _read(other))

    def __gt__(self, other: Any) -> Array:
        return np.asarray(self.read() > _read(other))

    def __ge__(self, other: Any) -> Array:
        return np.asarray(self.read() >= _read(other))

    def __add__(self, other: Any) -> "Tensor":
        return apply(arithmetic.Add(), *operands(self, other))

    def __radd__(self, other: Any) -> "Tensor":
        return apply(arithmetic.Add(), *operands(other, self))

    def __sub__(self, other: Any) -> "Tensor":
        return apply(arithmetic.Subtract(), *operands(self, other))

    def __rsub__(self, other: Any) -> "Tensor":
        return apply(arithmetic.Subtract(), *operands(other, self))

    def __mul__(self, other: Any) -> "Tensor":
        return apply(arithmetic.Multiply(), *operands(self, other))

    def __rmul__(self, other: Any) -> "Tensor":
        return apply(arithmetic.Multiply(), *operands(other, self))

    def __truediv__(self, other: Any) -> "Tensor":
        return apply(arithmetic.Divide(), *operands(self, other))

    def __rtruediv__(self, other: Any) -> "Tensor":
        return apply(arithmetic.Divide(), *operands(other, self))

    def __pow__(self, exponent: Any) -> "Tensor":
        if isinstance(exponent, int | float):  # no logarithm, so the base may be negative
            return apply(arithmetic.Power(float(exponent)), self)
        return apply(arithmetic.PowerOf(), *operands(self, exponent))

    def __rpow__(self, base: Any) -> "Tensor":
        return apply(arithmetic.PowerOf(), *operands(base, self))

    def __neg__(self) -> "Tensor":
        return apply(arithmetic.Negative(), self)

    def __abs__(self) -> "Tensor":
        return apply(selection.Absolute(), self)

    def __matmul__(self, other: Any) -> "Tensor":
        return _matmul(self, other)

    def __rmatmul__(self, other: Any) -> "Tensor":
        return _matmul(other, self)

    def __getitem__(self, key: Any) -> "Tensor":
        return _item(self, key)

    @property
    def T(self) -> "Tensor":
        """The axes in reverse order."""
        return self.transpose()

    def transpose(self, *axes: int) -> "Tensor":
        """The axes in another order; reversed where none is given."""
        return apply(shape.Transpose(axes or tuple(reversed(range(self.ndim)))), self)

    def reshape(self, *sizes: Any) -> "Tensor":
        """The same elements in another shape; one size may be -1."""
        to = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], list | tuple) else sizes
        source = self if self.value.flags.c_contiguous else apply(shape.Copy(), self)
        return apply(shape.Reshape(tuple(to)), source)

    def sum(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        """The sum over axes."""
        return reduce(reduction.Sum, self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        """The mean over axes."""
        total = self.sum(axis, keepdims)
        return total * (total.value.size / self.value.size)

    def max(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        """The maximum over axes; at a tie the gradient goes to the first.

        PyTorch's amax divides it among all.
        """
        return reduce(reduction.Max, self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        """The minimum over axes; at a tie the gradient goes to the first."""
        return reduce(reduction.Min, self, axis, keepdims)


def _read(x: Any) -> Any:
    return x.read() if isinstance(x, Tensor) else x


def value_of(x: Any) -> Any:
    """The array of a tensor; anything else as it is."""
    return x.value if isinstance(x, Tensor) else x


def apply(primitive: Primitive, *inputs: Tensor) -> Tensor:
    """Run one primitive on new arrays, and record it if an input is traced."""
    values = [x.value for x in inputs]
    scratch: dict[str, Array] = {}
    if isinstance(primitive, View):
        out = primitive.view(values[0])
    else:
        shapes = [x.shape for x in values]
        dtype = values[0].dtype if primitive.keeps_type else float_type(values)
        out = np.empty(primitive.infer(*shapes), dtype)
        for name, (size, kind) in primitive.scratch(*shapes).items():
            scratch[name] = np.empty(size, kind or out.dtype)
        primitive.forward(out, *values, **scratch)
    result = Tensor.__new__(Tensor)
    result.value = out
    result.requires_grad = True in [x.requires_grad for x in inputs]
    result.traced = True in [x.traced for x in inputs]
    result.node = Node(primitive, inputs, out, scratch) if result.traced else None
    return result


def float_type(values: list[Array]) -> Any:
    """The type of an output: that to which the float inputs promote; float64 without any."""
    promoted = None
    for x in values:
        if x.dtype is not promoted and x.dtype.kind == "f":
            promoted = x.dtype if promoted is None else np.promote_types(promoted, x.dtype)
    return np.dtype(np.float64) if promoted is None else promoted


def operands(*inputs: Any) -> tuple[Tensor, ...]:
    """Tensors of one shape, all broadcast.

    A constant takes the type of the tensors among the inputs, or else of the arrays.
    """
    tensors = [x for x in inputs if isinstance(x, Tensor)]
    if len(tensors) < len(inputs):
        dtype = float_type(
            [x.value for x in tensors] or [x for x in inputs if isinstance(x, np.ndarray)]
        )
        tensors = [
            x
            if isinstance(x, Tensor)
            else Tensor(x, dtype=None if np.asarray(x).dtype == bool else dtype)
            for x in inputs
        ]
    shapes = [x.value.shape for x in tensors]
    if shapes.count(shapes[0]) == len(shapes):
        return tuple(tensors)
    to = np.broadcast_shapes(*shapes)
    return tuple([broadcast(x, to) for x in tensors])


def broadcast(x: Tensor, to: tuple[int, ...]) -> Tensor:
    """x repeated along new axes and axes of size 1, without copying."""
    return x if x.value.shape == to else apply(shape.Broadcast(to), x)


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes meant by None (all), one number or several, counted from 0.

    Raises:
        ValueError: An axis does not exist, or is given twice.
    """
    given = range(ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    axes = tuple(sorted(a + ndim if a < 0 else a for a in given))
    if any(not 0 <= a < ndim for a in axes) or len(set(axes)) < len(axes):
        raise ValueError(f"axis {axis} does not fit a tensor of {ndim} axes")
    return axes


def reduce(primitive: Any, x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    """Reduce over axes: they become one last axis, the only one that the primitive reduces."""
    axes = axes_of(axis, x.ndim)
    kept = tuple(a for a in range(x.ndim) if a not in axes)
    if kept + axes != tuple(range(x.ndim)):
        x = x.transpose(*kept, *axes)
    rows = x.shape[: len(kept)]
    if len(axes) != 1:
        x = x.reshape(*rows, int(np.prod(x.shape[len(kept) :])))
    result = apply(primitive(), x)
    if keepdims:
        sizes = iter(rows)
        result = result.reshape(
            tuple(1 if a in axes else next(sizes) for a in range(len(kept) + len(axes)))
        )
    return result


def _matmul(a: Any, b: Any) -> Tensor:
    """a @ b as NumPy means it: vectors, matrices, and stacks of matrices."""
    if not (isinstance(a, Tensor) and isinstance(b, Tensor)):
        dtype = float_type([x.value for x in (a, b) if isinstance(x, Tensor)])
        a, b = (x if isinstance(x, Tensor) else Tensor(x, dtype=dtype) for x in (a, b))
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError(f"matmul takes vectors or matrices, got shapes {a.shape} and {b.shape}")
    row, column = a.ndim == 1, b.ndim == 1
    if row:
        a = a.reshape(1, a.shape[0])
    if column:
        b = b.reshape(b.shape[0], 1)
    if a.shape[:-2] != b.shape[:-2]:
        stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a, b = broadcast(a, stack + a.shape[-2:]), broadcast(b, stack + b.shape[-2:])
    product = apply(matmul.Matmul(), a, b)
    if row or column:
        lead = product.shape[:-2]
        product = product.reshape(
            lead + (() if row else product.shape[-2:-1]) + (() if column else product.shape[-1:])
        )
    return product


def _item(x: Tensor, key: Any) -> Tensor:
    """x[key]: slices and integers give a view; integer arrays, on the leading axes, gather.

    The gradients of an index that is repeated add up.
    """
    keys = key if isinstance(key, tuple) else (key,)
    if not any(isinstance(k, list | np.ndarray | Tensor) for k in keys):
        return apply(shape.Slice(keys), x)
    if not all(isinstance(k, list | np.ndarray | Tensor | int) for k in keys):
        raise TypeError("indices and slices cannot be mixed in one x[...]: slice first, then index")
    indices: list[Array] = []
    for k in keys:
        index = np.asarray(value_of(k))
        if index.dtype.kind != "b":
            indices.append(index)
        elif index.shape == x.shape[len(indices) : len(indices) + index.ndim]:
            indices.extend(np.nonzero(_read(k)))  # their number depends on data
        else:
            raise IndexError(
                f"a mask of shape {index.shape} does not fit axis {len(indices)} "
                f"of a tensor of shape {x.shape}"
            )
    return apply(indexing.Gather(), x, *[Tensor(index) for index in np.broadcast_arrays(*indices)])
