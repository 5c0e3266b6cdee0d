"""The first operation of a training step whose result is NaN or infinite, and what made it so."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nettrain.autodiff.primitive import Array
from nettrain.inspection.computation_graph import LOSS, ComputationGraph, Value

Direction = Literal["forward", "backward", "update"]
MOST_ROWS = 5  # that are named where all rows share a result


@dataclass(frozen=True)
class Operand:
    """An array that the operation reads.

    Attributes:
        name: `x`, `dense_1.w`, `v3`, or `d v3` for the gradient that arrives.
        origin: The operation and the layer that computed it; empty for inputs and parameters.
        shape: Of the array.
        minimum: Its least element.
        maximum: Its greatest element.
    """

    name: str
    origin: str
    shape: tuple[int, ...]
    minimum: float
    maximum: float


@dataclass(frozen=True)
class _Given:
    """An array that an operation reads, and whether it has a row axis."""

    name: str
    array: Array
    has_rows: bool = False
    origin: str = ""


@dataclass(frozen=True)
class NotFinite:
    """Where a step first leaves the finite numbers.

    Attributes:
        direction: forward, backward, or update (of the weights, by the optimizer).
        layer: The path of the layer, such as `dense_1`; `loss` for the loss.
        operation: `matmul`, `exp`, ...; for an update the optimizer.
        formula: How the operation computes what is not finite.
        result: Which array is not finite: `v3`, `d dense_1.w`, `dense_1.w`.
        index: Of its first element that is not finite.
        value: That element.
        count: The number of its elements that are not finite.
        size: The number of its elements.
        operands: What the operation reads.
        rows: The places in the batch of the rows that are not finite; where the result has no row
            axis, of those with the largest numbers.
        shared: Whether the result has no row axis.
    """

    direction: Direction
    layer: str
    operation: str
    formula: str
    result: str
    index: tuple[int, ...]
    value: float
    count: int
    size: int
    operands: tuple[Operand, ...]
    rows: tuple[int, ...]
    shared: bool


def first_not_finite(graph: ComputationGraph) -> NotFinite | None:
    """The first in the order of computation: the forward pass, then the backward pass.

    Returns:
        None where every value and every gradient is finite.
    """
    by_row = _values_by_row(graph)
    for value in graph.operations():
        if not np.isfinite(value.value).all():
            inputs = [_given(graph.values[name], by_row) for name in value.inputs]
            has_rows = value.name in by_row
            return _described(
                "forward", value, value.formula, value.name, value.value, inputs, has_rows=has_rows
            )
    for value in reversed(graph.values.values()):
        if value.gradient is None or np.isfinite(value.gradient).all():
            continue
        use = graph.consumers(value.name)[-1]
        arriving = _Given(f"d {use.name}", np.asarray(use.gradient), use.name in by_row)
        inputs = [_given(graph.values[name], by_row) for name in use.inputs]
        return _described(
            "backward",
            use,
            use.derivative,
            f"d {value.name}",
            value.gradient,
            [arriving, *inputs],
            has_rows=value.name in by_row,
        )
    return None


def not_finite_update(
    optimizer: str,
    formula: str,
    name: str,
    before: Array,
    after: Array,
    gradient: Array,
    state: dict[str, Array],
) -> NotFinite:
    """An update of a parameter that is not finite, though its gradient is.

    Args:
        optimizer: Its YAML name.
        formula: Of its update rule.
        name: Of the parameter.
        before: The weights before the update.
        after: The weights after it.
        gradient: Of the parameter.
        state: The optimizer's arrays for the parameter, before the update.
    """
    arrays = {name: before, f"d {name}": gradient, **state}
    operands = [_Given(key, array) for key, array in arrays.items()]
    layer = name.rpartition(".")[0]
    value = Value(name, "parameter", layer, before, gradient, operation=optimizer)
    return _described("update", value, formula, name, after, operands, has_rows=False)


def _given(value: Value, by_row: set[str]) -> _Given:
    origin = f"{value.operation}, {value.layer}" if value.operation else ""
    return _Given(value.name, value.value, value.name in by_row, origin)


def _values_by_row(graph: ComputationGraph) -> set[str]:
    """The names of the values that have a row axis: what comes from the rows, with n in front."""
    n = len(graph.values["x"].value)
    names: set[str] = set()
    for value in graph.values.values():
        given = value.kind in ("input", "target")
        computed = any(name in names for name in value.inputs)
        if (given or computed) and value.value.shape[:1] == (n,):
            names.add(value.name)
    return names


def _described(
    direction: Direction,
    operation: Value,
    formula: str,
    name: str,
    array: Array,
    operands: list[_Given],
    *,
    has_rows: bool,
) -> NotFinite:
    bad = ~np.isfinite(array)
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    if has_rows:
        rows = np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))
    else:
        rows = _rows_with_large_numbers([one.array for one in operands if one.has_rows])
    return NotFinite(
        direction,
        operation.layer or LOSS,
        operation.operation,
        formula,
        name,
        index,
        float(array[index]),
        int(bad.sum()),
        array.size,
        tuple(
            Operand(
                one.name,
                one.origin,
                one.array.shape,
                float(np.min(one.array)),
                float(np.max(one.array)),
            )
            for one in operands
            if one.array.size
        ),
        tuple(int(row) for row in rows),
        not has_rows,
    )


def _rows_with_large_numbers(arrays: list[Array]) -> Array:
    """The rows whose largest numbers have the largest product, the largest first."""
    if not arrays:
        return np.arange(0)
    sizes = [np.abs(array.astype(np.float64)).reshape(len(array), -1) for array in arrays]
    logs = sum(np.log(size.max(axis=1, initial=0) + 1e-300) for size in sizes)
    return np.argsort(-np.asarray(logs), kind="stable")[:MOST_ROWS]
