"""Arrays that stay in their files: where they begin, and reading rows of them into buffers."""

import hashlib
import math
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from nettrain.data.rows.base import chunks
from nettrain.errors import DataError
from nettrain.files import cannot_read


@dataclass(frozen=True)
class ArrayLocation:
    """Where an array begins in a file.

    Attributes:
        path: The file.
        offset: Of the first byte.
        shape: (n, ...)
        dtype: Of the numbers in the file.
        obstacle: What keeps its rows from being read one by one, and the remedy; "": nothing.
        member: Of the zip file, where it is compressed; "": it is not.
        fortran_order: Whether columns lie one after the other, not rows.
    """

    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype
    obstacle: str = ""
    member: str = ""
    fortran_order: bool = False

    @property
    def size(self) -> int:
        """In bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class RowStatistics:
    """What one reading of all rows finds.

    Attributes:
        digest: Of all numbers.
        largest: (n,) the largest |x| of each row, 0 where it has no number.
        gaps: (n,) whether a number is missing in it.
    """

    digest: bytes
    largest: np.ndarray
    gaps: np.ndarray


class StoredArrays:
    """Arrays of equal rows, one after the other; their files are open as long as this lives.

    Attributes:
        locations: Of the arrays.
        dtype: Of the numbers in the files.
        count: Of the rows of all arrays.
    """

    def __init__(self, locations: Sequence[ArrayLocation]) -> None:
        self.locations = tuple(locations)
        self.dtype = locations[0].dtype
        self._starts = np.cumsum([0, *(location.shape[0] for location in locations)])
        self.count = int(self._starts[-1])
        self._width = locations[0].size // locations[0].shape[0]  # bytes per row
        self._files = [StableFile(location.path) for location in locations]

    def read(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Read rows into a buffer; neighbours in a file are read at once.

        Args:
            rows: (m,) their numbers.
            out: (m, ...), contiguous, of `dtype`.

        Raises:
            DataError: A file has changed since it was opened, or cannot be read.
        """
        for file in self._files:
            file.check()
        buffer = out.reshape(-1).data.cast("B") if out.size else memoryview(b"")
        array = np.searchsorted(self._starts, rows, side="right") - 1
        breaks = np.flatnonzero((np.diff(rows) != 1) | (np.diff(array) != 0)) + 1
        for begin, end in pairwise([0, *breaks.tolist(), len(rows)]):
            if begin < end:
                i = int(array[begin])
                first = int(rows[begin] - self._starts[i])
                offset = self.locations[i].offset + first * self._width
                self._files[i].read(buffer[begin * self._width : end * self._width], offset)

    @cached_property
    def statistics(self) -> RowStatistics:
        """All rows read once, in chunks."""
        digest = hashlib.blake2b(digest_size=16)
        largest, gaps = np.zeros(self.count), np.zeros(self.count, dtype=bool)
        width = self._width // self.dtype.itemsize
        for chunk in chunks((self.count, width)):
            x = np.empty((chunk.stop - chunk.start, width), self.dtype)
            self.read(np.arange(chunk.start, chunk.stop), x)
            digest.update(x.data.cast("B"))
            if self.dtype.kind == "f":
                gaps[chunk] = np.isnan(x).any(axis=1)
                x = np.nan_to_num(np.abs(x), nan=0.0, posinf=np.inf)
            lowest = 0 if self.dtype.kind in "uf" else x.min(axis=1).astype(np.float64)
            largest[chunk] = np.maximum(x.max(axis=1), np.abs(lowest))
        return RowStatistics(digest.digest(), largest, gaps)


class StableFile:
    """An open file that must not change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise cannot_read(path, error) from None
        self._opened_as = self._state()

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def _state(self) -> tuple[int, int]:
        state = os.fstat(self._descriptor)
        return state.st_size, state.st_mtime_ns

    def check(self) -> None:
        """Raises DataError where the file has changed since it was opened: size, or time."""
        now = self._state()
        if now != self._opened_as:
            raise DataError(
                f"{self.path}: has changed while its rows were in use (from {self._opened_as[0]} "
                f"to {now[0]} bytes); leave the file alone during training, and train again"
            )

    def read(self, into: memoryview, offset: int) -> None:
        """Fill a buffer with the bytes from `offset` on. Raises DataError where the file ends."""
        done = 0
        try:
            while done < len(into):  # a read may give less than it was asked for
                count = self._read_some(into[done:], offset + done)
                if not count:
                    raise DataError(
                        f"{self.path}: ends at byte {offset + done}, {len(into) - done} bytes "
                        "before its rows do; the file is cut short"
                    )
                done += count
        except OSError as error:
            raise cannot_read(self.path, error) from None

    def _read_some(self, into: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._descriptor, [into], offset)
        with self._lock:  # Windows: the descriptor has one position for all threads
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            data = os.read(self._descriptor, len(into))
            into[: len(data)] = data
            return len(data)
