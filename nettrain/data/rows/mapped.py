"""Rows that pass the transforms when a batch takes them, so that pixels stay bytes until then."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nettrain.data.features import Features
from nettrain.data.linear import LinearTransform
from nettrain.data.rows.base import LazyRows, chunks
from nettrain.data.target import Target
from nettrain.data.transform import OutsideDomain, State, Transform
from nettrain.errors import ConfigError

# Puts what it makes of raw rows (m, ...) into a buffer (m, ...).
RowMap = Callable[[np.ndarray, np.ndarray], None]
_Step = tuple[np.ufunc, np.ndarray | float]
_REMEDY = "correct the value, or leave the row out"


@dataclass(frozen=True, eq=False)
class MappedRows(LazyRows):
    """y = f(x) for raw rows x in memory or in their file; f maps every row alone.

    Attributes:
        raw: x
        function: f
        row: The shape of one of y.
        dtype: Of y.
    """

    raw: np.ndarray | LazyRows
    function: RowMap
    row: tuple[int, ...]
    dtype: np.dtype

    def __len__(self) -> int:
        return len(self.raw)

    @property
    def in_file(self) -> bool:
        """As the raw rows are."""
        return isinstance(self.raw, LazyRows) and self.raw.in_file

    def subset(self, rows: np.ndarray) -> "MappedRows":
        """Some rows, in that order; nothing is made. Raw rows in memory are copied."""
        raw = self.raw
        chosen = raw[rows] if isinstance(raw, np.ndarray) else raw.subset(rows)
        return dataclasses.replace(self, raw=chosen)

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Map the raw rows."""
        raw = self.raw
        taken = np.take(raw, rows, axis=0) if isinstance(raw, np.ndarray) else raw[rows]
        self.function(taken, out)


def fit_transform(transform: Transform, features: Features, target: Target | None) -> State:
    """Fit a transform; rows that stay in a file go to transforms that take them in chunks.

    Raises:
        ConfigError: The transform needs all rows at once, and they stay on the disk.
        OutsideDomain: A number is infinite, or so large that sums of it are.
    """
    numbers = features.numbers
    if not isinstance(numbers, np.ndarray) and not transform.by_chunks:
        if numbers.in_file:
            raise ConfigError(
                f"dataset.transforms: {transform.name()} looks at all rows at once, and these "
                "stay on the disk: leave it out, or set dataset.source.read: memory"
            )
        features = dataclasses.replace(features, numbers=numbers[:])
    try:
        with np.errstate(over="raise"):
            state = transform.fit_to_target(features, target)
    except FloatingPointError:
        row, where, size = _largest(features)
        reason = f"a number of size {size:g} is too large for {transform.name()}, whose sums become"
        raise OutsideDomain(row, f"{where}: {reason} infinite; {_REMEDY}") from None
    if not all(np.isfinite(array).all() for array in _floats(state)):
        row, where, size = _largest(features)
        if np.isinf(size):  # else a column without any value
            raise OutsideDomain(row, f"{where} is infinite; {_REMEDY}")
    return state


def map_lazily(features: Features, transform: Transform, state: State) -> Features:
    """Transformed images, which are mapped when they are taken."""
    numbers = features.numbers
    row = transform.apply(Features(numbers[:1]), state).numbers.shape[1:]
    mapped = MappedRows(numbers, compose([(transform, state)]), row, np.dtype(np.float64))
    return dataclasses.replace(features, numbers=mapped)


def compose(chain: Sequence[tuple[Transform, State]]) -> RowMap:
    """The transforms one after the other, in float64: bitwise what `Transform.apply` gives.

    Where all are linear, the copies that `apply` makes are left out.
    """
    steps: list[_Step] = []
    for transform, state in chain:
        if not isinstance(transform, LinearTransform) or "places" in state:
            return lambda raw, out: _apply_all(chain, raw, out)
        steps += _steps(transform, state)
    return lambda raw, out: _apply_steps(steps, raw, out)


def _floats(state: State) -> list[np.ndarray]:
    arrays = map(np.asarray, state.values())
    return [array for array in arrays if array.dtype.kind == "f"]


def _largest(features: Features) -> tuple[int, str, float]:
    """The row of the largest |x|, its column or pixel, and its size."""
    largest, row, index = -1.0, 0, [0]
    for chunk in chunks(features.numbers.shape):
        x = np.abs(features.numbers[chunk])
        place = np.unravel_index(int(np.nan_to_num(x).argmax()), x.shape)
        if x[place] > largest:
            largest, (first, *index) = float(x[place]), map(int, place)
            row = chunk.start + first
    where = f"column {features.names[index[0]]!r}" if features.names else f"pixel {index}"
    return row, where, largest


def _steps(transform: LinearTransform, state: State) -> list[_Step]:
    """(x - shift) / unit + offset without neutral steps; one number where all pixels share it."""
    shift, unit = np.asarray(state["shift"]), np.asarray(state["unit"])
    offset = np.asarray(transform.offset)
    steps: list[_Step] = [(np.subtract, _single(shift))] if shift.any() else []
    steps += [(np.divide, _single(unit))] if (unit != 1).any() else []
    return [*steps, (np.add, _single(offset))] if offset.any() else steps


def _single(numbers: np.ndarray) -> np.ndarray | float:
    return float(numbers.flat[0]) if (numbers == numbers.flat[0]).all() else numbers


def _apply_steps(steps: list[_Step], raw: np.ndarray, out: np.ndarray) -> None:
    if not steps:
        out[...] = raw
        return
    x = raw
    for ufunc, operand in steps[:-1]:
        x = ufunc(x, operand, dtype=np.float64)
    ufunc, operand = steps[-1]
    ufunc(x, operand, out=out, dtype=np.float64, casting="unsafe")


def _apply_all(chain: Sequence[tuple[Transform, State]], raw: np.ndarray, out: np.ndarray) -> None:
    features = Features(raw)
    for transform, state in chain:
        features = transform.apply(features, state)
    out[...] = features.array
