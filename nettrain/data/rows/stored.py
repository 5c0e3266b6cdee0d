"""Rows that stay in their file: read into the buffer that wants them, without a mapping."""

import dataclasses
import hashlib
import math
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.data.rows.base import MAX_IN_MEMORY, LazyRows, chunks
from nettrain.errors import DataError
from nettrain.files import cannot_read


@dataclass(frozen=True)
class ArrayLocation:
    """Where an array stands in a file: its first byte, its shape, its numbers.

    obstacle  what keeps its rows from being read one by one, and the remedy; "": nothing does
    """

    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype
    obstacle: str = ""

    @property
    def size(self) -> int:
        """In bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class RowStatistics:
    """What one reading of all rows tells.

    digest   of all numbers
    largest  (n,) the largest |x| of each row, 0 where it has no number; gaps (n,): whether a number is missing in it
    """

    digest: bytes
    largest: np.ndarray
    gaps: np.ndarray


@dataclass(frozen=True, eq=False)
class StoredRows(LazyRows):
    """Rows of one or several arrays in files, one behind the other; uint8 and float32 as they are, other numbers as float64.

    ReadMode them leaves no trace in the memory of the process. (A mapping would: read in random order, it soon holds all of the file.)
    Raises DataError where a file has become another since it was opened: its size, or the time of its last change.

    row     the shape of one, images with their channels
    chosen  (n,) numbers of rows in the arrays; None: all, in their order
    """

    arrays: "StoredArrays"
    row: tuple[int, ...]
    chosen: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """(n, *row)."""
        return (self.arrays.count if self.chosen is None else len(self.chosen), *self.row)

    @property
    def dtype(self) -> np.dtype:  # type: ignore[override]
        """That of the file if networks take it, otherwise float64."""
        return (
            self.arrays.dtype
            if self.arrays.dtype in (np.uint8, np.float32)
            else np.dtype(np.float64)
        )

    @property
    def in_file(self) -> bool:
        """They are."""
        return True

    def subset(self, rows: np.ndarray) -> "StoredRows":
        """Some rows, in that order; nothing is read."""
        return dataclasses.replace(self, chosen=rows if self.chosen is None else self.chosen[rows])

    def reshaped(self, row: tuple[int, ...]) -> "StoredRows":
        """The same numbers, a row of them in another shape."""
        return dataclasses.replace(self, row=row)

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Straight into `out` where its numbers are those of the file."""
        places = rows if self.chosen is None else self.chosen[rows]
        if out.dtype == self.arrays.dtype and out.flags.c_contiguous:
            self.arrays.read(places, out)
        else:
            found = np.empty(out.shape, self.arrays.dtype)
            self.arrays.read(places, found)
            out[...] = found

    def largest(self) -> float:
        """The largest |x|; 0 where there is no number."""
        found = self.arrays.statistics.largest
        return float((found if self.chosen is None else found[self.chosen]).max())

    def has_gaps(self) -> bool:
        """Whether a number is missing."""
        found = self.arrays.statistics.gaps
        return bool((found if self.chosen is None else found[self.chosen]).any())


class StoredArrays:
    """The arrays that some rows stand in, in files that are open as long as this lives.

    dtype  of the numbers in the files; count: of the rows
    """

    def __init__(self, places: Sequence[ArrayLocation]) -> None:
        self.places = tuple(places)
        self.dtype = places[0].dtype
        self.starts = np.cumsum([0, *(place.shape[0] for place in places)])
        self.count = int(self.starts[-1])
        self._width = places[0].size // places[0].shape[0]
        self._offsets = [place.offset for place in places]
        self._files = [StableFile(place.path) for place in places]

    def read(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Fill `out` (m, ...), contiguous, of `dtype`; neighbours in the file are read at once."""
        for file in self._files:
            file.check()
        buffer = out.reshape(-1).data.cast("B") if out.size else memoryview(b"")
        of = np.searchsorted(self.starts, rows, side="right") - 1
        breaks = np.flatnonzero((np.diff(rows) != 1) | (np.diff(of) != 0)) + 1
        for begin, end in pairwise([0, *breaks.tolist(), len(rows)]):
            if begin < end:
                array = int(of[begin])
                offset = self._offsets[array] + int(rows[begin] - self.starts[array]) * self._width
                self._files[array].read(buffer[begin * self._width : end * self._width], offset)

    @cached_property
    def statistics(self) -> RowStatistics:
        """All rows read once, in chunks."""
        digest = hashlib.blake2b(digest_size=16)
        largest, gaps = np.zeros(self.count), np.zeros(self.count, dtype=bool)
        width = self._width // self.dtype.itemsize
        for chunk in chunks((self.count, width)):
            found = np.empty((chunk.stop - chunk.start, width), self.dtype)
            self.read(np.arange(chunk.start, chunk.stop), found)
            digest.update(found.data.cast("B"))
            if self.dtype.kind == "f":
                gaps[chunk] = np.isnan(found).any(axis=1)
                found = np.nan_to_num(np.abs(found), nan=0.0, posinf=np.inf)
            lowest = 0 if self.dtype.kind in "uf" else found.min(axis=1).astype(np.float64)
            largest[chunk] = np.maximum(found.max(axis=1), np.abs(lowest))
        return RowStatistics(digest.digest(), largest, gaps)


class StableFile:
    """An open file that must stay what it is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._alone = threading.Lock()
        try:
            self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise cannot_read(path, error) from None
        self._stamp = self._now()

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def _now(self) -> tuple[int, int]:
        found = os.fstat(self._descriptor)
        return found.st_size, found.st_mtime_ns

    def check(self) -> None:
        """Raises DataError where the file has changed since it was opened."""
        if self._now() != self._stamp:
            raise DataError(
                f"{self.path}: has changed while its rows were in use (from {self._stamp[0]} to {self._now()[0]} bytes); "
                "leave the file alone during training, and train again"
            )

    def read(self, into: memoryview, offset: int) -> None:
        """Fill `into` with the bytes from `offset` on. A read may give less than it was asked for; then the rest is asked for."""
        done = 0
        try:
            while done < len(into):
                got = self._read_some(into[done:], offset + done)
                if not got:
                    raise DataError(
                        f"{self.path}: ends at byte {offset + done}, {len(into) - done} bytes before its rows do; the file is "
                        "cut short"
                    )
                done += got
        except OSError as error:
            raise cannot_read(self.path, error) from None

    def _read_some(self, into: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._descriptor, [into], offset)
        with self._alone:  # Windows: the descriptor has one position for all threads
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            found = os.read(self._descriptor, len(into))
            into[: len(found)] = found
            return len(found)


ReadMode = Literal["auto", "memory", "disk"]
Read = Annotated[
    ReadMode,
    Field(
        description="where images wait: memory; disk, their file, which must be uncompressed; auto: disk where they take over 256 MiB"
    ),
]


def stored_rows(places: Sequence[ArrayLocation], read: ReadMode) -> list[StoredRows] | None:
    """Images (n, h, w) or (n, h, w, c) of each place as rows that stay there; None where they are to be loaded into memory instead.

    All of one dataset stay or none. Raises DataError where they should stay (`read: disk`) and cannot, with the remedy.
    """
    if read == "memory" or not all(place.size for place in places):
        return None
    obstacles = [
        f"{place.path}: {reason}" for place in places if (reason := _obstacle(place, places[0]))
    ]
    if read == "disk" and obstacles:
        raise DataError(f"dataset.source.read: disk: {obstacles[0]}, or leave `read` out")
    if obstacles or (read == "auto" and sum(place.size for place in places) <= MAX_IN_MEMORY):
        return None
    rows = [place.shape[1:] if len(place.shape) == 4 else (*place.shape[1:], 1) for place in places]
    return [StoredRows(StoredArrays([place]), row) for place, row in zip(places, rows, strict=True)]


def concatenate(first: StoredRows, second: StoredRows) -> StoredRows:
    """The rows of both, whole, which must be of one shape and one kind of number."""
    return StoredRows(StoredArrays([*first.arrays.places, *second.arrays.places]), first.row)


def _obstacle(place: ArrayLocation, first: ArrayLocation) -> str:
    if place.obstacle:
        return place.obstacle
    if place.dtype.kind not in "biuf":
        return f"holds {place.dtype}, not numbers; save numbers"
    if len(place.shape) not in (3, 4):
        return f"only images (n, h, w) or (n, h, w, c) can stay on the disk, it holds the shape {place.shape}; save them as images"
    if place.dtype != first.dtype:
        return f"holds {place.dtype}, the first part {first.dtype}; save both as the same kind of number"
    return ""
