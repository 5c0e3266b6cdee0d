"""Where the cells of a table go while it is read: into memory, or into a file on the disk."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nettrain.data.features import MISSING, Category
from nettrain.data.rows.cells import Section, SectionPlace, SectionWriter
from nettrain.data.rows.memory_map import MemoryMap
from nettrain.data.stored_columns import Selection, StoredCategory, StoredColumn, StoredLines
from nettrain.errors import DataError

_MOST_TEXT = 2**26  # bytes of the distinct texts of a column whose cells go to the disk
_TEXT = 100  # bytes that a text takes beside its characters

Cells = np.ndarray | StoredColumn


class Collector(ABC):
    """Collects the cells of one column, a chunk of rows at a time."""

    @abstractmethod
    def append(self, cells: np.ndarray) -> None:
        """Add numbers or codes; before the first text all cells may be NaN."""

    @abstractmethod
    def numbers(self) -> Cells:
        """The numbers (n,), once all are there."""

    @abstractmethod
    def category(self, lookup: np.ndarray, values: tuple[str, ...]) -> Category:
        """The codes, once all are there.

        Args:
            lookup: The code of each that was added, and `MISSING` at the end.
            values: The distinct texts.
        """


class Store(ABC):
    """Makes collectors.

    Attributes:
        most_text: How many bytes the distinct texts of a column may take; None: any.
    """

    most_text: int | None = None

    @abstractmethod
    def collectors(self, count: int) -> list[Collector]:
        """For columns that are read together; those of one reading follow those of another."""

    def lines(self, collected: Collector) -> Cells:
        """The line on which each row begins."""
        return collected.numbers()


class InMemory(Store):
    """Columns become arrays."""

    def collectors(self, count: int) -> list[Collector]:
        """For the columns of one reading."""
        return [_InMemory() for _ in range(count)]


class _InMemory(Collector):
    def __init__(self) -> None:
        self._chunks: list[np.ndarray] = []

    def append(self, cells: np.ndarray) -> None:
        self._chunks.append(cells)

    def numbers(self) -> np.ndarray:
        joined = np.concatenate(self._chunks)
        self._chunks = []
        return joined

    def category(self, lookup: np.ndarray, values: tuple[str, ...]) -> Category:
        codes = np.concatenate(
            [
                chunk if chunk.dtype.kind == "i" else np.full(len(chunk), MISSING, np.int32)
                for chunk in self._chunks
            ]
        )
        self._chunks = []
        return Category(lookup[codes], values)


class OnDisk(Store):
    """Columns are written to a file as they are read.

    Args:
        file: Written to; its columns are read again from `path`.
        path: Of the file.
    """

    most_text = _MOST_TEXT

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self._current: SectionWriter | None = None
        self._sections: list[Section] = []
        self.selection = Selection()

    @property
    def places(self) -> list[SectionPlace]:
        """Of the sections that are finished."""
        return [section.place for section in self._sections]

    def collectors(self, count: int) -> list[Collector]:
        """For the columns of one reading."""
        self.finish()
        self._current = SectionWriter(self._file, count)
        number = len(self._sections)
        return [_OnDisk(self, number, column, self._current) for column in range(count)]

    def finish(self) -> None:
        """End the section that is being written."""
        if self._current is not None:
            place = self._current.finish()
            self._sections.append(Section(MemoryMap(self._path), place))
            self._current = None

    def section(self, number: int) -> Section:
        """A section, which ends now."""
        self.finish()
        return self._sections[number]

    def number_of(self, section: Section) -> int:
        """The number of a section."""
        return self._sections.index(section)

    def lines(self, collected: Collector) -> Cells:
        """The line on which each row begins, as whole numbers."""
        numbers = collected.numbers()
        assert isinstance(numbers, StoredColumn)
        return StoredLines(numbers.section, numbers.column, numbers.selection)


class _OnDisk(Collector):
    def __init__(self, store: OnDisk, section: int, column: int, writer: SectionWriter) -> None:
        self._store, self._section, self._column, self._writer = store, section, column, writer

    def append(self, cells: np.ndarray) -> None:
        self._writer.append(self._column, cells)

    def numbers(self) -> StoredColumn:
        section = self._store.section(self._section)
        return StoredColumn(section, self._column, self._store.selection)

    def category(self, lookup: np.ndarray, values: tuple[str, ...]) -> StoredCategory:
        section = self._store.section(self._section)
        return StoredCategory(
            StoredColumn(section, self._column, self._store.selection, lookup), values
        )


class TextCodes(dict[str, int]):
    """Texts numbered in the order of their first appearance.

    Args:
        column: Whose they are.
        origin: The file, as messages name it.
        most_text: How many bytes they may take; None: any.

    Raises:
        DataError: They take more, when one is added.
    """

    def __init__(self, column: str, origin: str, most_text: int | None) -> None:
        super().__init__()
        self._column, self._origin, self._left = column, origin, most_text

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        if self._left is not None:
            self._left -= len(text) + _TEXT
            if self._left < 0:
                raise DataError(
                    f"{self._origin}: column {self._column!r} has more than {len(self):,} distinct "
                    "texts, which do not fit into the memory that a table on the disk may take; "
                    "list it under the source's `ignore` if it is an ID or free text, or set "
                    "dataset.source.read: memory"
                )
        return self[text]

    def category(self, cells: Collector, values: Sequence[str]) -> Category:
        """The collected codes as those of the values in this order; other texts are missing."""
        order = {value: code for code, value in enumerate(values)}
        lookup = np.array([*(order.get(value, MISSING) for value in self), MISSING], np.int32)
        return cells.category(lookup, tuple(values))
