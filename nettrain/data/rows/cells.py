"""The numbers of a table in one file, in blocks of rows: column after column in each block."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nettrain.data.rows.memory_map import MemoryMap

_BLOCK = 2**23  # bytes
_FEWEST_ROWS = 256


@dataclass(frozen=True)
class SectionPlace:
    """Where the columns that were written together lie.

    Attributes:
        offset: Of the first byte.
        columns: How many there are.
        block_rows: The rows of a block; the last one is filled up with NaN.
        rows: How many there are.
    """

    offset: int
    columns: int
    block_rows: int
    rows: int


class SectionWriter:
    """Writes columns that grow together, so that both a column and some rows are read at once.

    All cells are float64: what a network is trained on has the bits then that it has in memory.

    Args:
        file: Written from its end on.
        columns: How many there are.
    """

    def __init__(self, file: BinaryIO, columns: int) -> None:
        self._file, self._columns = file, columns
        self._offset = file.seek(0, 2)
        fitting = _BLOCK // (8 * columns)
        self._block_rows = max(1 << max(fitting, 1).bit_length() - 1, _FEWEST_ROWS)
        self._waiting: list[list[np.ndarray]] = [[] for _ in range(columns)]
        self._count = 0  # of the rows that wait
        self._written = 0

    def append(self, column: int, cells: np.ndarray) -> None:
        """The next cells of a column; those of the last column end a chunk of rows."""
        self._waiting[column].append(cells)
        if column == self._columns - 1:
            self._count += len(cells)
            if self._count >= self._block_rows:
                self._write(self._count // self._block_rows * self._block_rows)

    def finish(self) -> SectionPlace:
        """Write what waits."""
        rows = self._written + self._count
        if self._count:
            missing = -self._count % self._block_rows
            for column in range(self._columns):
                self._waiting[column].append(np.full(missing, np.nan))
            self._count += missing
            self._write(self._count)
        self._file.flush()
        return SectionPlace(self._offset, self._columns, self._block_rows, rows)

    def _write(self, rows: int) -> None:
        cells = np.empty((self._columns, self._count))
        for column, chunks in enumerate(self._waiting):
            np.concatenate(chunks, out=cells[column], casting="unsafe")
        for start in range(0, rows, self._block_rows):
            block = np.ascontiguousarray(cells[:, start : start + self._block_rows])
            self._file.write(block.data)
        self._waiting = [[cells[column, rows:].copy()] for column in range(self._columns)]
        self._count -= rows
        self._written += rows


class Section:
    """Columns that were written together."""

    def __init__(self, file: MemoryMap, place: SectionPlace) -> None:
        self.place, self._file = place, file
        blocks = -(-place.rows // place.block_rows)
        shape = (blocks, place.columns, place.block_rows)
        self._cells = file.array(place.offset, np.float64, shape)

    def __len__(self) -> int:
        return self.place.rows

    @property
    def path(self) -> Path:
        """Of the file."""
        return self._file.path

    def column(self, column: int, rows: np.ndarray | None) -> np.ndarray:
        """The cells (m,) of a column, in all rows or in these."""
        self._file.use()
        if rows is None:
            return self._cells[:, column].reshape(-1)[: self.place.rows]
        return np.take(self._cells.reshape(-1), self._places(rows, column))

    def take(self, columns: Sequence[int], rows: np.ndarray, out: np.ndarray) -> None:
        """Put the cells of these rows and columns into `out` (m, columns), float64."""
        self._file.use()
        starts = np.array(columns, np.int64) * self.place.block_rows
        places = self._places(rows, 0)[:, np.newaxis] + starts
        np.take(self._cells.reshape(-1), places, out=out, mode="clip")

    def _places(self, rows: np.ndarray, column: int) -> np.ndarray:
        size = self.place.block_rows
        block, inside = np.divmod(rows, size)
        places: np.ndarray = block * (size * self.place.columns) + column * size + inside
        return places
