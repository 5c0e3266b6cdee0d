"""Rows as a network takes them, in a file of the cache."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from nettrain.data.cache import add_checksum, is_whole, made_once
from nettrain.data.rows.base import LazyRows
from nettrain.data.rows.memory_map import MemoryMap
from nettrain.files import available_memory

_MOST_RESIDENT = 2**28  # bytes: rows are taken in random order, and reading a page again takes time

Blocks = Callable[[], Iterator[np.ndarray]]


class StoredInputs(LazyRows):
    """Rows (n, d) of a file, of which little stays in memory.

    Use `of` to make one.

    Raises:
        DataError: When rows are taken, where the file has been cut short.
    """

    def __init__(self, file: MemoryMap, rows: np.ndarray, chosen: np.ndarray | None = None) -> None:
        self.row, self.dtype = rows.shape[1:], rows.dtype
        self._file, self._rows, self._chosen = file, rows, chosen

    @classmethod
    def of(
        cls,
        name: str,
        blocks: Blocks,
        shape: tuple[int, ...],
        dtype: np.dtype,
        origin: str,
    ) -> "StoredInputs":
        """The rows that some blocks of them are, written unless they are there already.

        Args:
            name: As `cached_name` gives it.
            blocks: Makes them, in their order.
            shape: (n, d)
            dtype: Of the numbers.
            origin: What they are made of, for messages.
        """

        def write(output: BinaryIO) -> None:
            for block in blocks():
                output.write(np.ascontiguousarray(block).data)
            add_checksum(output)

        size = int(np.prod(shape)) * dtype.itemsize
        remedy = "set dataset.source.read: memory"
        path = made_once("inputs", name, write, of=origin, size=size, remedy=remedy, valid=is_whole)
        file = MemoryMap(path, _MOST_RESIDENT)
        return cls(file, file.array(0, dtype, shape))

    def __len__(self) -> int:
        return len(self._rows if self._chosen is None else self._chosen)

    @property
    def in_file(self) -> bool:
        """They are."""
        return True

    @property
    def slow_to_take(self) -> bool:
        """Only where the system's cache cannot hold the file: else they are copied, as from memory.

        Measured for rows of 20 numbers in batches of 256: taking them in a thread costs half of
        what a step of a small network takes.
        """
        return bool(self._rows.nbytes > available_memory() // 2)

    def subset(self, rows: np.ndarray) -> "StoredInputs":
        """Some rows, in that order; nothing is read."""
        return StoredInputs(self._file, self._rows, self._numbers(rows))

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Copy rows into `out`."""
        self._file.use()
        rows = self._numbers(rows)
        if out.dtype == self.dtype and out.flags.c_contiguous:
            np.take(self._rows, rows, axis=0, out=out, mode="clip")
        else:
            out[...] = self._rows[rows]

    def _numbers(self, rows: np.ndarray) -> np.ndarray:
        return rows if self._chosen is None else self._chosen[rows]
