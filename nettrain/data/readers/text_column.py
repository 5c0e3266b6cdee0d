"""One column of text cells made numbers or categories, a chunk of rows at a time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nettrain.data.collect import Cells, Collector, Store, TextCodes
from nettrain.data.features import Category
from nettrain.data.readers.number_text import (
    MissingMarks,
    has_leading_zero,
    is_number,
    number_format,
)
from nettrain.data.readers.text_block import Chunk, TextBlock, distinct_texts, plain_numbers
from nettrain.errors import DataError

if TYPE_CHECKING:
    import polars

# The distinct texts and places among them, or None and numbers; and the marks of missing values.
_Converted = tuple[list[str] | None, np.ndarray, set[str]]
_INFINITE = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})


class MixedColumn(DataError):
    """A column that holds numbers and texts.

    Attributes:
        column: Its name.
        share: The fraction of its cells that are texts, as far as it was read.
    """

    def __init__(self, message: str, column: str, share: float) -> None:
        super().__init__(message)
        self.column, self.share = column, share


class ChunkedTable(Protocol):
    """What `read_columns` reads, such as a `TextTable`."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""

    def blocks(self) -> Iterator[Chunk | TextBlock]:
        """The columns of some rows, and the line on which each of the rows begins; or a block."""


class TextColumn:
    """Collects the cells of one column.

    Args:
        name: Of the column.
        origin: The file, as messages name it.
        missing: The cells that stand for a missing value.
        numeric: True for numbers, False for texts. None: the cells decide; then a few texts among
            numbers are an error.

    Attributes:
        marks: The missing marks that occurred in it, empty cells left out.
        leading_zero: The first number with a redundant leading zero, where the cells decide.
        mixed: The error that the column is one of numbers and a cell is not, where that cell may be
            a number in another format; None where there is no such cell.

    Raises:
        DataError: Naming line and value, where a cell of a column of numbers is not one.
    """

    def __init__(
        self,
        name: str,
        origin: str,
        missing: MissingMarks,
        numeric: bool | None,
        cells: Collector,
        most_text: int | None = None,
    ) -> None:
        self.name, self._origin, self._missing, self._numeric = name, origin, missing, numeric
        self._cells = cells
        self.marks: set[str] = set()
        self.leading_zero: str | None = None
        self.mixed: DataError | None = None
        self._fixed = numeric is not None
        self._codes = TextCodes(name, origin, most_text)

    def add(self, cells: tuple[str, ...], lines: np.ndarray) -> None:
        """The cells of the next rows."""
        if self._numeric is False:
            self._cells.append(self._encode(cells))
            return
        numbers = self._quick_numbers(cells)
        if numbers is None:
            numbers = self._careful_numbers(cells, lines)
        if numbers is None:  # only while the kind is open: all cells so far were missing
            self._numeric = False
            self._cells.append(self._encode(cells))
            return
        self._add_numbers(numbers)

    def kind_in(self, block: TextBlock) -> bool:
        """Whether a block's column is to be read as numbers at once, or as texts."""
        plain = self._fixed or not block.starting_zeros
        return self._numeric is True and plain and not self.marks and self.leading_zero is None

    def converted(self, column: "polars.Series", *, zeros: bool) -> _Converted | None:
        """The cells of a block, and the marks in it; None where they are to be looked at singly.

        Args:
            column: As polars has read it.
            zeros: Whether numbers may begin like 007 there.
        """
        if self._numeric is False:
            values, places = distinct_texts(column)
            return [value.strip() for value in values], places, set()
        allowed = self._fixed or self.leading_zero is not None or not zeros
        found = plain_numbers(column, self._missing.words, zeros=allowed)
        if found is None:
            return None
        return None, found[0], found[1]

    def add_converted(self, converted: _Converted) -> None:
        """What `converted` has found in the next rows."""
        values, cells, marks = converted
        if values is not None:
            lookup = np.array([self._codes[value] for value in values], np.int32)
            self._cells.append(lookup[cells])
            return
        self.marks.update(marks)
        self._add_numbers(self._without_marked_numbers(cells))

    def _add_numbers(self, numbers: np.ndarray) -> None:
        if self._numeric is None and not np.isnan(numbers).all():
            self._numeric = True
        self._cells.append(numbers)

    def finish(self) -> Cells | Category:
        """Numbers (n,) with NaN where missing, or codes into the sorted texts."""
        if self._numeric is not False:
            return self._cells.numbers()
        values = [value for value in self._codes if value not in self._missing]
        self.marks.update(value for value in self._codes if value and value in self._missing)
        if all(map(is_number, values)):
            values.sort(key=lambda text: (float(text), text))
        else:
            values.sort()
        return self._codes.category(self._cells, values)

    def _encode(self, cells: tuple[str, ...]) -> np.ndarray:
        return np.fromiter(
            map(self._codes.__getitem__, map(str.strip, cells)), np.int32, len(cells)
        )

    def _quick_numbers(self, cells: tuple[str, ...]) -> np.ndarray | None:
        """All cells as numbers if each is one or a missing mark; None: a closer look is needed."""
        joined = "\n".join(("", *cells))
        if "_" in joined or not joined.isascii():  # which float() takes and `is_number` does not
            return None
        if not self._fixed and self.leading_zero is None and has_leading_zero(joined):
            return None
        numbers = _floats(cells)
        if numbers is None or not np.isfinite(numbers).all():
            marks = [cell for cell in cells if cell in self._missing.words]
            words = self._missing.words
            numbers = _floats(["nan" if cell in words else cell for cell in cells])
            if numbers is None or np.count_nonzero(~np.isfinite(numbers)) != len(marks):
                return None
            self.marks.update(mark for mark in marks if mark)
        return self._without_marked_numbers(numbers)

    def _without_marked_numbers(self, numbers: np.ndarray) -> np.ndarray:
        if not self._missing.numbers.size:
            return numbers
        marked = np.isin(numbers, self._missing.numbers)
        if marked.any():
            self.marks.update(f"{value:g}" for value in np.unique(numbers[marked]))
            numbers[marked] = np.nan
        return numbers

    def _careful_numbers(self, cells: tuple[str, ...], lines: np.ndarray) -> np.ndarray | None:
        """Cell by cell. None if the column is one of texts. DataError for a text among numbers."""
        numbers = np.full(len(cells), np.nan)
        texts, infinite = [], []
        for row, cell in enumerate(map(str.strip, cells)):
            if cell in self._missing:
                self.marks.update([cell] if cell else [])
            elif is_number(cell):
                numbers[row] = float(cell)
                if np.isinf(numbers[row]):
                    infinite.append(row)
                if not self._fixed and self.leading_zero is None and has_leading_zero(f"\n{cell}"):
                    self.leading_zero = cell
            elif cell.lower() in _INFINITE:
                infinite.append(row)
            else:
                texts.append(row)
        count = int(np.count_nonzero(~np.isnan(numbers)))
        if self._numeric is None and texts and count + len(infinite) <= len(texts):
            return None
        if texts and self.leading_zero is None:  # a column of codes is read once more, as texts
            cell, line = cells[texts[0]], int(lines[texts[0]])
            message = self._text_among_numbers(cell, line, count, len(texts))
            error = MixedColumn(message, self.name, len(texts) / (count + len(texts)))
            if number_format(cell.strip()) is None:
                raise error
            self.mixed = self.mixed or error  # the column is read once more, as texts
        if infinite:
            raise DataError(
                f"{self._origin}:{lines[infinite[0]]}: column {self.name!r}: "
                f"{cells[infinite[0]]!r} is infinite; correct the value, or add it to the source's "
                "`missing`"
            )
        return numbers

    def _text_among_numbers(self, value: str, line: int, numbers: int, texts: int) -> str:
        kind = number_format(value.strip())
        looks = "" if kind is None else f", which looks like a number with {kind}"
        where = (
            f"{self._origin}:{line}: column {self.name!r}: expected a number, got {value!r}{looks}"
        )
        if self._fixed:
            return f"{where}; correct it, or add it to the source's `missing`"
        return (
            f"{where} ({numbers} cells here are numbers, {texts} are not); correct it, add it to "
            "the source's `missing`, or list the column under `categorical` or `ignore`"
        )


def read_columns(
    table: ChunkedTable,
    names: Sequence[str],
    numeric: dict[str, bool],
    missing: Mapping[str, MissingMarks],
    origin: str,
    store: Store,
) -> tuple[dict[str, TextColumn], dict[str, Cells | Category], Cells]:
    """Read the named columns of a table.

    A column whose numbers have redundant leading zeros (007) holds codes, not quantities: it is
    read once more, as texts. So is one in which a few numbers are written otherwise than the rest
    (1,234 among 5 and 6), for `recognize` to make numbers of all.

    Args:
        table: What is read.
        names: Of the columns that are wanted.
        numeric: The kind of those that do not decide it themselves, as `TextColumn` takes it.
        missing: The cells of each column that stand for a missing value.
        origin: The file, as messages name it.
        store: Where the cells go.

    Returns:
        The columns as they were collected, their numbers or categories, and the line of each row.

    Raises:
        DataError: There are no rows, or a cell is not what its column holds.
    """
    columns, lines = _collect(table, names, numeric, missing, origin, store)
    texts = [
        column.name
        for column in columns.values()
        if column.leading_zero is not None or column.mixed is not None
    ]
    if texts:
        again, _ = _collect(table, texts, dict.fromkeys(texts, False), missing, origin, store)
        for name, column in again.items():
            column.leading_zero = columns[name].leading_zero
            column.mixed = columns[name].mixed
        columns |= again
    found = {name: column.finish() for name, column in columns.items()}
    return columns, found, store.lines(lines)


def _collect(
    table: ChunkedTable,
    names: Sequence[str],
    numeric: dict[str, bool],
    missing: Mapping[str, MissingMarks],
    origin: str,
    store: Store,
) -> tuple[dict[str, TextColumn], Collector]:
    names = list(dict.fromkeys(names))
    *collectors, lines = store.collectors(len(names) + 1)
    columns = {
        name: TextColumn(name, origin, missing[name], numeric.get(name), cells, store.most_text)
        for name, cells in zip(names, collectors, strict=True)
    }
    indexed = [(table.names.index(name), column) for name, column in columns.items()]
    rows = 0
    for block in table.blocks():
        if isinstance(block, TextBlock) and _add_block(block, indexed):
            lines.append(block.lines)
            rows += len(block)
            continue
        chunks = block.chunks() if isinstance(block, TextBlock) else (block,)
        for cells, first_lines in chunks:
            for index, column in indexed:
                column.add(cells[index], first_lines)
            lines.append(first_lines)
            rows += len(first_lines)
    if not rows:
        raise DataError(f"{origin}: a header ({', '.join(table.names[:20])}) and no rows below it")
    return columns, lines


def _add_block(block: TextBlock, columns: Sequence[tuple[int, TextColumn]]) -> bool:
    """Add a block to all columns; or to none, where one of them needs a closer look."""
    kinds = {place: column.kind_in(block) for place, column in columns}
    series = block.columns(kinds) or block.columns(dict.fromkeys(kinds, False))
    if series is None:
        return False
    found = []
    for place, column in columns:
        converted = column.converted(series[place], zeros=block.starting_zeros)
        if converted is None:
            return False
        found.append(converted)
    for (_, column), converted in zip(columns, found, strict=True):
        column.add_converted(converted)
    return True


def _floats(cells: Sequence[str]) -> np.ndarray | None:
    """All cells by Python's float(), None if one is not a number to it."""
    try:
        return np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
