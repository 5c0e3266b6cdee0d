"""Columns that stay in a file: numbers and categories that are read when they are wanted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

import numpy as np

from nettrain.data.cache import digest_of
from nettrain.data.features import MISSING, Category
from nettrain.data.rows.base import LazyRows
from nettrain.data.rows.cells import Section


class Selection:
    """Which rows of a file there are, shared by its columns.

    Attributes:
        rows: Their numbers (n,) in the file; None: all.
    """

    def __init__(self, rows: np.ndarray | None = None) -> None:
        self.rows = rows
        self._last: tuple[np.ndarray, Selection] | None = None

    @cached_property
    def digest(self) -> str:
        """Of the rows."""
        return digest_of(self.rows)

    def take(self, rows: np.ndarray) -> "Selection":
        """Some of them; asked again for the same array, the same one."""
        if self._last is None or self._last[0] is not rows:
            self._last = rows, Selection(self.numbers(rows))
        return self._last[1]

    def numbers(self, rows: np.ndarray) -> np.ndarray:
        """The numbers in the file of some of the rows."""
        return rows if self.rows is None else self.rows[rows]


@dataclass(frozen=True, eq=False)
class StoredColumn:
    """The cells (n,) of one column of a section.

    Attributes:
        section: Of the file.
        column: Its number there.
        selection: Which rows there are.
        lookup: What stands for each code that the file holds, for a missing one at the end; None:
            it holds the numbers themselves.
        marks: Numbers that stand for a missing value.
    """

    section: Section
    column: int
    selection: Selection
    lookup: np.ndarray | None = None
    marks: tuple[float, ...] = ()

    def __len__(self) -> int:
        rows = self.selection.rows
        return len(self.section) if rows is None else len(rows)

    @property
    def plain(self) -> bool:
        """Whether the file holds the numbers themselves."""
        return self.lookup is None and not self.marks

    def identity(self) -> tuple[str, ...]:
        """The cached file, whose name has a digest, the column there and the rows."""
        place = f"{self.section.path} {self.section.place.offset} {self.column} {self.marks}"
        return place, self.selection.digest, digest_of(self.lookup)

    def take(self, rows: np.ndarray) -> "StoredColumn":
        """The cells of some rows, in that order; nothing is read."""
        return replace(self, selection=self.selection.take(rows))

    def read(self) -> np.ndarray:
        """All cells: numbers, or what the lookup gives."""
        return self._meaning(self.section.column(self.column, self.selection.rows))

    def __getitem__(self, rows: int | np.integer | np.ndarray) -> np.ndarray:
        numbers = self.selection.numbers(np.atleast_1d(np.asarray(rows)))
        found = self._meaning(self.section.column(self.column, numbers))
        chosen: np.ndarray = found if np.ndim(rows) else found[0]
        return chosen

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return self.read().astype(dtype or np.float64)

    def _meaning(self, cells: np.ndarray) -> np.ndarray:
        if self.lookup is not None:
            return self.lookup[np.nan_to_num(cells, nan=MISSING).astype(np.int64)]
        return np.where(np.isin(cells, self.marks), np.nan, cells) if self.marks else cells


class StoredLines(StoredColumn):
    """The line (n,) on which each row begins."""

    def _meaning(self, cells: np.ndarray) -> np.ndarray:
        return cells.astype(np.int64)


class StoredCategory(Category):
    """A categorical column whose codes stay in a file; each look at them reads them.

    Args:
        column: The codes, by a lookup of int32.
        values: The distinct texts.
    """

    def __init__(self, column: StoredColumn, values: tuple[str, ...]) -> None:
        object.__setattr__(self, "column", column)
        object.__setattr__(self, "values", values)

    column: StoredColumn

    @property
    def codes(self) -> np.ndarray:
        """Into `values` (n,), read now."""
        return self.column.read()

    def __len__(self) -> int:
        return len(self.column)

    def identity(self) -> tuple[str, ...]:
        """That of the column, and the texts."""
        return (*self.column.identity(), repr(self.values))

    def take(self, rows: np.ndarray) -> "StoredCategory":
        """The cells of some rows, in that order; nothing is read."""
        return StoredCategory(self.column.take(rows), self.values)

    def looked_up(self, lookup: np.ndarray) -> StoredColumn:
        """What a lookup gives for each cell; nothing is read."""
        column = self.column
        composed = lookup[column.lookup]
        return StoredColumn(column.section, column.column, column.selection, composed)

    def recoded(self, lookup: np.ndarray, values: tuple[str, ...]) -> "StoredCategory":
        """The same cells by other codes; nothing is read."""
        return StoredCategory(self.looked_up(lookup.astype(np.int32)), values)


@dataclass(frozen=True, eq=False)
class ColumnRows(LazyRows):
    """Rows (n, d) of columns that stay in their file.

    Attributes:
        columns: Of numbers.
        first: A column of the same rows; there may be none of numbers.
    """

    columns: Sequence[StoredColumn]
    first: StoredColumn
    dtype = np.dtype(np.float64)

    @property
    def row(self) -> tuple[int, ...]:  # type: ignore[override]
        """(d,)"""
        return (len(self.columns),)

    def __len__(self) -> int:
        return len(self.first)

    @property
    def in_file(self) -> bool:
        """They are."""
        return True

    @property
    def name(self) -> str:
        """That of the cached file, without its digest."""
        return self.first.section.path.name.rpartition("-")[0]

    def identity(self) -> tuple[str, ...]:
        """That of each column."""
        return tuple(text for column in self.columns for text in column.identity())

    def subset(self, rows: np.ndarray) -> "ColumnRows":
        """Some rows, in that order; nothing is read."""
        return ColumnRows([column.take(rows) for column in self.columns], self.first.take(rows))

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Read rows: columns beside each other at once."""
        start = 0
        by_section = groupby(self.columns, lambda one: (id(one.section), one.plain))
        for (_, plain), group in by_section:
            columns = list(group)
            part = out[:, start : start + len(columns)]
            if plain:
                numbers = columns[0].selection.numbers(rows)
                cells = np.empty(part.shape)
                columns[0].section.take([one.column for one in columns], numbers, cells)
                part[...] = cells
            else:
                for index, column in enumerate(columns):
                    part[:, index] = column[rows]
            start += len(columns)

    def columns_at(self, places: slice) -> np.ndarray:
        """Some columns (m, n), read without the others."""
        return np.array([column.read() for column in self.columns[places]])
