"""Rows that pass the transforms when a batch takes them, so that pixels wait as the bytes that they are."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nettrain.data.features import Features
from nettrain.data.linear import LinearTransform
from nettrain.data.rows.base import LazyRows
from nettrain.data.transform import OutsideDomain, State, Transform
from nettrain.errors import ConfigError

Map = Callable[
    [np.ndarray, np.ndarray], None
]  # raw rows (m, ...), where they go when they are mapped (m, ...)


@dataclass(frozen=True, eq=False)
class MappedRows(LazyRows):
    """y = f(x) for raw rows x in memory or in their file; f maps every row alone.

    row  the shape of one of y
    """

    raw: np.ndarray | LazyRows
    function: Map
    row: tuple[int, ...]
    dtype: np.dtype

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """(n, *row)."""
        return (len(self.raw), *self.row)

    @property
    def in_file(self) -> bool:
        """As the raw rows are."""
        return isinstance(self.raw, LazyRows) and self.raw.in_file

    def subset(self, rows: np.ndarray) -> "MappedRows":
        """Some rows, in that order; nothing is made. Of raw rows in memory a copy."""
        return dataclasses.replace(
            self, raw=self.raw[rows] if isinstance(self.raw, np.ndarray) else self.raw.subset(rows)
        )

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """The raw rows, mapped."""
        if isinstance(self.raw, np.ndarray):
            self.function(np.take(self.raw, rows, axis=0), out)
        else:
            self.function(self.raw[rows], out)


def fit_transform(transform: Transform, features: Features) -> State:
    """The state; rows that wait in a file go to transforms that take them in chunks. Raises ConfigError for the others."""
    numbers = features.numbers
    if isinstance(numbers, np.ndarray) or transform.by_chunks:
        try:
            with np.errstate(over="raise"):
                return transform.fit(features)
        except FloatingPointError:
            raise _too_large(transform, features) from None
    if numbers.in_file:
        raise ConfigError(
            f"dataset.transforms: {transform.name()} looks at all images at once, and these stay on the disk: leave it out, "
            "or set dataset.source.read: memory"
        )
    return transform.fit(dataclasses.replace(features, numbers=numbers[:]))


def _too_large(transform: Transform, features: Features) -> OutsideDomain:
    """The error for the largest |x|, of which a sum or a square is infinite in float64."""
    x = features.array
    index = np.unravel_index(np.nanargmax(np.abs(x)), x.shape)
    row, *place = map(int, index)
    where = f"column {features.names[place[0]]!r}" if features.names else f"pixel {place}"
    return OutsideDomain(
        row,
        f"{where}: {x[index]:g} is too large for {transform.name()}, whose sums become infinite; "
        "correct the value, or leave the row out",
    )


def apply_lazily(transform: Transform, state: State, features: Features) -> Features:
    """The features behind a transform; those that wait, and images in bytes, pass it when they are asked for."""
    numbers = features.numbers
    if isinstance(numbers, np.ndarray) and (numbers.ndim <= 2 or numbers.dtype != np.uint8):
        return transform.apply(features, state)
    row = transform.apply(Features(numbers[:1]), state).numbers.shape[1:]
    dtype = np.dtype(np.float64)
    return dataclasses.replace(
        features, numbers=MappedRows(numbers, compose([(transform, state)], dtype), row, dtype)
    )


def compose(chain: Sequence[tuple[Transform, State]], dtype: np.dtype) -> Map:
    """The transforms one after the other, in float64, and then as `dtype`: bit for bit what `Transform.apply` gives.

    Where all are linear the copies that `apply` makes are left out.
    """
    linear_transforms = [
        step
        for transform, state in chain
        if isinstance(transform, LinearTransform)
        for step in _steps(transform, state)
    ]
    if all(
        isinstance(transform, LinearTransform) and "places" not in state
        for transform, state in chain
    ):
        return lambda raw, out: _in_steps(linear_transforms, raw, out)
    return lambda raw, out: _applied(chain, raw, out)


_Step = tuple[np.ufunc, np.ndarray | float]


def _steps(transform: LinearTransform, state: State) -> list[_Step]:
    """(x - shift) / unit + offset, without what changes nothing; one number where all pixels have the same."""
    shift, unit, offset = (
        np.asarray(state["shift"]),
        np.asarray(state["unit"]),
        np.asarray(transform.offset),
    )
    steps: list[_Step] = [(np.subtract, _single(shift))] if shift.any() else []
    steps += [(np.divide, _single(unit))] if (unit != 1).any() else []
    return [*steps, (np.add, _single(offset))] if offset.any() else steps


def _single(numbers: np.ndarray) -> np.ndarray | float:
    return float(numbers.flat[0]) if (numbers == numbers.flat[0]).all() else numbers


def _in_steps(steps: list[_Step], raw: np.ndarray, out: np.ndarray) -> None:
    if not steps:
        out[...] = raw
        return
    x = raw
    for ufunc, operand in steps[:-1]:
        x = ufunc(x, operand, dtype=np.float64)
    ufunc, operand = steps[-1]
    ufunc(x, operand, out=out, dtype=np.float64, casting="unsafe")


def _applied(chain: Sequence[tuple[Transform, State]], raw: np.ndarray, out: np.ndarray) -> None:
    features = Features(raw)
    for transform, state in chain:
        features = transform.apply(features, state)
    out[...] = features.array
