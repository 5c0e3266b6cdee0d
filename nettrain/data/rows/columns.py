"""Columns of rows, one after the other, wherever the rows are."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nettrain.data.rows.base import LazyRows, chunks

_MOST_AT_ONCE = 2**26  # bytes of columns that are gathered from rows


def columns_of(numbers: np.ndarray | LazyRows) -> Iterator[np.ndarray]:
    """Each column (n,) of rows (n, ...); of lazy rows as many at once as fit into 64 MiB."""
    width = math.prod(numbers.shape[1:])
    if isinstance(numbers, np.ndarray):
        yield from numbers.reshape(len(numbers), width).T
        return
    most = max(_MOST_AT_ONCE // max(len(numbers) * numbers.dtype.itemsize, 1), 1)
    for start in range(0, width, most):
        yield from numbers.columns_at(slice(start, min(start + most, width)))


@dataclass(frozen=True, eq=False)
class ChosenColumns(LazyRows):
    """Some columns (n, m) of lazy rows (n, d).

    Attributes:
        rows: (n, d)
        places: (m,) of the columns.
    """

    rows: LazyRows
    places: np.ndarray

    @property
    def row(self) -> tuple[int, ...]:  # type: ignore[override]
        """(m,)"""
        return (len(self.places),)

    @property
    def dtype(self) -> np.dtype:  # type: ignore[override]
        """That of the rows."""
        return self.rows.dtype

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def in_file(self) -> bool:
        """As the rows are."""
        return self.rows.in_file

    def subset(self, rows: np.ndarray) -> "ChosenColumns":
        """Some rows, in that order."""
        return ChosenColumns(self.rows.subset(rows), self.places)

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Read whole rows, and leave the other columns out."""
        out[...] = self.rows[rows][:, self.places]

    def columns_at(self, places: slice) -> np.ndarray:
        """Some columns (k, n)."""
        chosen = self.places[places]
        return np.array([self.rows.columns_at(slice(at, at + 1))[0] for at in chosen.tolist()])


@dataclass(frozen=True, eq=False)
class JoinedColumns(LazyRows):
    """Rows (n, d + m): lazy rows (n, d), and columns in memory beside them.

    Attributes:
        rows: (n, d)
        beside: (n, m)
    """

    rows: LazyRows
    beside: np.ndarray
    dtype = np.dtype(np.float64)

    @property
    def row(self) -> tuple[int, ...]:  # type: ignore[override]
        """(d + m,)"""
        return (self.rows.shape[1] + self.beside.shape[1],)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def in_file(self) -> bool:
        """As the rows are."""
        return self.rows.in_file

    def subset(self, rows: np.ndarray) -> "JoinedColumns":
        """Some rows, in that order."""
        return JoinedColumns(self.rows.subset(rows), self.beside[rows])

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Read rows, and put those in memory beside them."""
        width = self.rows.shape[1]
        out[:, :width] = self.rows[rows]
        out[:, width:] = self.beside[rows]


def take_columns(numbers: np.ndarray | LazyRows, places: np.ndarray) -> np.ndarray | LazyRows:
    """Some columns (..., m) of an array (..., d), or of lazy rows, which stay lazy."""
    if isinstance(numbers, np.ndarray):
        return numbers[..., places]
    return ChosenColumns(numbers, places)


class ColumnsByName(Mapping[str, np.ndarray]):
    """The columns (n,) of a table in float64, each read when it is asked for.

    Args:
        names: Of the d columns.
        numbers: (n, d)
    """

    def __init__(self, names: Sequence[str], numbers: np.ndarray | LazyRows) -> None:
        self._places = {name: place for place, name in enumerate(names)}
        self._numbers = numbers

    def __getitem__(self, name: str) -> np.ndarray:
        place, numbers = self._places[name], self._numbers
        if isinstance(numbers, np.ndarray):
            return numbers[:, place].astype(np.float64, copy=False)
        return numbers.columns_at(slice(place, place + 1))[0].astype(np.float64, copy=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def beside(numbers: np.ndarray | LazyRows, blocks: Sequence[np.ndarray]) -> np.ndarray | LazyRows:
    """Rows (n, d) with further columns behind them, in float64; lazy rows stay lazy."""
    if isinstance(numbers, np.ndarray):
        return np.concatenate([numbers.astype(np.float64), *blocks], axis=1)
    return JoinedColumns(numbers, np.concatenate(blocks, axis=1)) if blocks else numbers


def has_gaps(numbers: np.ndarray | LazyRows) -> bool:
    """Whether a number is missing; lazy rows are read in chunks, until one is."""
    return any(bool(np.isnan(numbers[chunk]).any()) for chunk in chunks(numbers.shape))
