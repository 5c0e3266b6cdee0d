"""The ONNX form of operations that move, choose or join numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from nettrain.export.inference_graph import NotExportable, Operation, Rows, Size
from nettrain.export.onnx.network import Values, not_exportable


def _reshape(values: Values, operation: Operation) -> None:
    g, x = values.builder, values.last(operation.inputs[0])
    sizes = [-1 if isinstance(size, Rows) else size for size in operation.shape]
    if sizes.count(-1) > 1:
        raise NotExportable(not_exportable(operation))
    values.set_last(operation, g.reshape(x, sizes))


def _transpose(values: Values, operation: Operation) -> None:
    axes = operation.primitive.axes  # type: ignore[attr-defined]
    x = values.last(operation.inputs[0])
    values.set_last(operation, values.builder.permute(x, [axis % len(axes) for axis in axes]))


def _slice(values: Values, operation: Operation) -> None:
    """Slices, then integers (an axis less) and None (an axis more)."""
    g, shape = values.builder, values.shape(operation.inputs[0])
    key = operation.primitive.key  # type: ignore[attr-defined]
    if Ellipsis not in key:
        key = (*key, Ellipsis)
    at = key.index(Ellipsis)
    whole = len(shape) - sum(k is not None and k is not Ellipsis for k in key)
    key = (*key[:at], *(slice(None),) * whole, *key[at + 1 :])
    cuts, dropped, added, axis = [], [], [], 0
    for place, k in enumerate(key):
        if k is None:
            added.append(place - sum(isinstance(other, int) for other in key[:place]))
            continue
        if k != slice(None):
            cuts.append((axis, *_bounds(k, shape[axis])))
        if isinstance(k, int):
            dropped.append(axis)
        axis += 1
    y = values.last(operation.inputs[0])
    if cuts:
        axes, starts, ends, steps = (
            g.constant(np.array(column, np.int64)) for column in zip(*cuts, strict=True)
        )
        y = g.add("Slice", y, starts, ends, axes, steps)
    if dropped:
        y = g.add("Squeeze", y, g.constant(np.array(dropped, np.int64)))
    if added:
        y = g.add("Unsqueeze", y, g.constant(np.array(added, np.int64)))
    values.set_last(operation, y)


def _bounds(key: Any, size: Size) -> tuple[int, int, int]:
    """Start, end and step as ONNX takes them."""
    largest = 2**62
    if not isinstance(key, slice):
        return int(key), largest if key == -1 else int(key) + 1, 1
    if isinstance(size, int):
        start, end, step = key.indices(size)
        return start, -largest if end < 0 else end, step
    step = key.step or 1
    default = (0, largest) if step > 0 else (largest, -largest)
    start, end = (
        given if given is not None else other
        for given, other in zip((key.start, key.stop), default, strict=True)
    )
    return start, end, step


def _concatenate(values: Values, operation: Operation) -> None:
    g, axis = values.builder, operation.primitive.axis  # type: ignore[attr-defined]
    if len(operation.shape) == 4 and all(values.has_first(name) for name in operation.inputs):
        inputs = [values.first(name) for name in operation.inputs]
        y = g.add("Concat", *inputs, axis=(0, 2, 3, 1)[axis])
        values.set_first(operation, y)
    else:
        inputs = [values.last(name) for name in operation.inputs]
        values.set_last(operation, g.add("Concat", *inputs, axis=axis))


def _gather(values: Values, operation: Operation) -> None:
    g, (x, *indices) = values.builder, operation.inputs
    axis = g.constant(np.array([-1], np.int64))
    columns = [g.add("Unsqueeze", _integers(values, index), axis) for index in indices]
    at = g.add("Concat", *columns, axis=-1)
    values.set_last(operation, g.add("GatherND", values.last(x), at))


def _pick(values: Values, operation: Operation) -> None:
    g, (x, index) = values.builder, operation.inputs
    axis = g.constant(np.array([1], np.int64))
    at = g.add("Unsqueeze", _integers(values, index), axis)
    picked = g.add("GatherElements", values.last(x), at, axis=1)
    values.set_last(operation, g.add("Squeeze", picked, axis))


def _sort(values: Values, operation: Operation) -> None:
    size, x = operation.shape[-1], values.last(operation.inputs[0])
    if not isinstance(size, int):
        raise NotExportable(f"{operation.layer or 'the loss'}: rows are sorted among themselves")
    values.set_last(operation, values.builder.sort(x, size))


def _integers(values: Values, name: str) -> str:
    array = values.constant(name)
    if array is None:
        return values.builder.cast(values.last(name), np.int64)
    return values.builder.constant(array.astype(np.int64), values.named(name))


SHAPES: dict[str, Callable[[Values, Operation], None]] = {
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Slice": _slice,
    "Concatenate": _concatenate,
    "Gather": _gather,
    "Pick": _pick,
    "Sort": _sort,
}
