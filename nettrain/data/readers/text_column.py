"""One column of text cells becoming numbers or categories, a chunk at a time."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from nettrain.data.features import MISSING, Category
from nettrain.data.readers.text_table import is_number
from nettrain.errors import DataError

_INFINITE = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})


class ChunkedTable(Protocol):
    """What `TextTable` is to `read_columns`: the names of the columns, and so many rows at a time."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""

    def chunks(self) -> Iterator[tuple[list[tuple[str, ...]], np.ndarray]]:
        """The columns of so many rows, and the line on which each row begins."""


def read_columns(
    table: ChunkedTable,
    names: Sequence[str],
    numeric: dict[str, bool],
    missing: frozenset[str],
    place: str,
) -> tuple[dict[str, np.ndarray | Category], np.ndarray]:
    """The named columns of a table, and the line of each row; the arguments are those of `TextColumn`. Raises DataError without rows."""
    columns = [
        (table.names.index(name), TextColumn(name, place, missing, numeric.get(name)))
        for name in names
    ]
    lines = []
    for cells, first_lines in table.chunks():
        lines.append(first_lines)
        for index, column in columns:
            column.add(cells[index], first_lines)
    if not lines:
        raise DataError(f"{place}: a header ({', '.join(table.names[:20])}) and no rows below it")
    return {column.name: column.finish() for _, column in columns}, np.concatenate(lines)


class TextColumn:
    """Collects the cells of one column. `numeric` None: the cells decide, and a few texts among numbers are an error.

    Raises DataError naming line and value. `place` is the file, as messages name it.
    """

    def __init__(
        self, name: str, place: str, missing: frozenset[str], numeric: bool | None
    ) -> None:
        self.name, self._place, self._missing, self._numeric = name, place, missing, numeric
        self._fixed = numeric is not None
        self._marks_are_words = not any(is_number(mark) for mark in missing)
        self._chunks: list[np.ndarray] = []
        self._codes = _Codes()
        self._rows_before = 0  # rows of chunks in which all cells were missing: neither kind yet

    def add(self, cells: tuple[str, ...], lines: np.ndarray) -> None:
        """The cells of the next rows."""
        if self._numeric is False:
            self._chunks.append(self._encode(cells))
            return
        numbers = self._quick_numbers(cells)
        if numbers is None:
            numbers = self._careful_numbers(cells, lines)
        if numbers is None:  # only while the kind is open
            self._numeric = False
            undecided = [np.full(len(chunk), MISSING, np.int32) for chunk in self._chunks]
            self._chunks = [*undecided, self._encode(cells)]
            return
        if self._numeric is None and not np.isnan(numbers).all():
            self._numeric = True
        self._chunks.append(numbers)

    def finish(self) -> np.ndarray | Category:
        """Numbers (n,) with NaN where missing, or codes into the sorted texts."""
        joined = np.concatenate(self._chunks)
        self._chunks = []
        if self._numeric is not False:
            return joined
        values = [value for value in self._codes if value not in self._missing]
        values.sort(key=lambda text: (float(text), text)) if all(
            map(is_number, values)
        ) else values.sort()
        places = {value: place for place, value in enumerate(values)}
        lookup = np.array(
            [*(places.get(value, MISSING) for value in self._codes), MISSING], dtype=np.int32
        )
        return Category(lookup[joined], tuple(values))

    def _encode(self, cells: tuple[str, ...]) -> np.ndarray:
        return np.fromiter(
            map(self._codes.__getitem__, map(str.strip, cells)), np.int32, len(cells)
        )

    def _quick_numbers(self, cells: tuple[str, ...]) -> np.ndarray | None:
        """All cells as numbers if each is one or a missing mark; None where a closer look is needed."""
        joined = "".join(cells)
        if (
            "_" in joined or not joined.isascii() or not self._marks_are_words
        ):  # what float() takes and we do not
            return None
        numbers = _floats(cells)
        if numbers is not None and np.isfinite(numbers).all():
            return numbers
        missing = self._missing
        numbers = _floats(["nan" if cell in missing else cell for cell in cells])
        gaps = sum(cell in missing for cell in cells)
        return (
            numbers
            if numbers is not None and np.count_nonzero(~np.isfinite(numbers)) == gaps
            else None
        )

    def _careful_numbers(self, cells: tuple[str, ...], lines: np.ndarray) -> np.ndarray | None:
        """Cell by cell. None if the column is one of texts; a DataError if it is one of numbers and a cell is not."""
        numbers = np.full(len(cells), np.nan)
        texts, infinite = [], []
        for row, cell in enumerate(map(str.strip, cells)):
            if cell in self._missing:
                continue
            if is_number(cell):
                numbers[row] = float(cell)
                if np.isinf(numbers[row]):
                    infinite.append(row)
            elif cell.lower() in _INFINITE:
                infinite.append(row)
            else:
                texts.append(row)
        found = int(np.count_nonzero(~np.isnan(numbers)))
        if self._numeric is None and texts and found + len(infinite) <= len(texts):
            return None
        if texts:
            raise DataError(
                self._text_among_numbers(cells[texts[0]], int(lines[texts[0]]), found, len(texts))
            )
        if infinite:
            where = f"{self._place}:{lines[infinite[0]]}: column {self.name!r}"
            raise DataError(
                f"{where}: {cells[infinite[0]]!r} is infinite; correct the value, or add it to the source's `missing`"
            )
        return numbers

    def _text_among_numbers(self, value: str, line: int, numbers: int, texts: int) -> str:
        where = f"{self._place}:{line}: column {self.name!r}: expected a number, got {value!r}"
        if self._fixed:
            return f"{where}; correct it, or add it to the source's `missing`"
        return (
            f"{where} ({numbers} cells here are numbers, {texts} are not); correct it, add it to the source's `missing`, "
            "or list the column under `categorical` or `ignore`"
        )


def _floats(cells: Sequence[str]) -> np.ndarray | None:
    """All cells by Python's float(), None if one is not a number to it."""
    try:
        return np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None


class _Codes(dict[str, int]):
    """Texts numbered in the order of their first appearance."""

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]
