"""Rows that stay in their files, read into the buffer of a batch."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.data.cache import digest_of
from nettrain.data.readers.contiguous import contiguous
from nettrain.data.rows.array_files import ArrayLocation, StoredArrays
from nettrain.data.rows.base import MAX_IN_MEMORY, MAX_TABLE, LazyRows
from nettrain.errors import DataError

ReadMode = Literal["auto", "memory", "disk"]
Read = Annotated[
    ReadMode,
    Field(
        description="where rows are kept: memory, disk (read from a file when a batch wants them), "
        "or auto: disk for images over 256 MiB and tables over 512 MiB"
    ),
]


@dataclass(frozen=True, eq=False)
class StoredRows(LazyRows):
    """Rows of one or several arrays in files: uint8 and float32 as they are, others as float64.

    Reading them leaves no trace in the memory of the process. (A memory map would: read in random
    order, it soon holds all of the file.)

    Attributes:
        arrays: Of the rows.
        row: The shape of one row, images with their channels.
        chosen: (n,) numbers of rows in the arrays; None: all, in their order.

    Raises:
        DataError: When rows are taken, where a file has changed since it was opened.
    """

    arrays: StoredArrays
    row: tuple[int, ...]
    chosen: np.ndarray | None = None

    def __len__(self) -> int:
        return self.arrays.count if self.chosen is None else len(self.chosen)

    @property
    def dtype(self) -> np.dtype:  # type: ignore[override]
        """That of the file if networks take it, otherwise float64."""
        stored = self.arrays.dtype
        return stored if stored in (np.uint8, np.float32) else np.dtype(np.float64)

    @property
    def in_file(self) -> bool:
        """They are."""
        return True

    def subset(self, rows: np.ndarray) -> "StoredRows":
        """Some rows, in that order; nothing is read."""
        return dataclasses.replace(self, chosen=self._numbers(rows))

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Read rows, straight into `out` where its numbers are those of the file."""
        if out.dtype == self.arrays.dtype and out.flags.c_contiguous:
            self.arrays.read(self._numbers(rows), out)
        else:
            read = np.empty(out.shape, self.arrays.dtype)
            self.arrays.read(self._numbers(rows), read)
            out[...] = read

    @property
    def name(self) -> str:
        """That of the first file."""
        return self.arrays.locations[0].path.name

    def identity(self) -> tuple[str, ...]:
        """The digest of all rows, which one reading finds, and which of them are chosen."""
        return self.arrays.statistics.digest.hex(), digest_of(self.chosen)

    def largest(self) -> float:
        """The largest |x|; 0 where there is no number."""
        return float(self._of_chosen(self.arrays.statistics.largest).max())

    def has_gaps(self) -> bool:
        """Whether a number is missing."""
        return bool(self._of_chosen(self.arrays.statistics.gaps).any())

    def _numbers(self, rows: np.ndarray) -> np.ndarray:
        """The numbers of these rows in the arrays."""
        return rows if self.chosen is None else self.chosen[rows]

    def _of_chosen(self, of_all: np.ndarray) -> np.ndarray:
        return of_all if self.chosen is None else of_all[self.chosen]


def stored_rows(locations: Sequence[ArrayLocation], read: ReadMode) -> list[StoredRows] | None:
    """Tables (n,) or (n, d), and images, as rows that stay on the disk, all of a dataset or none.

    Arrays that are compressed, or in Fortran order, are copied to the cache, where rows lie one
    after the other.

    Args:
        locations: Of the rows of each part.
        read: Where they are to be kept.

    Returns:
        The rows of each part; None where they are to be loaded into memory instead.

    Raises:
        DataError: They should stay (`read: disk`) and cannot; with the remedy.
    """
    if read == "memory" or not all(location.size for location in locations):
        return None
    obstacles = [
        f"{location.path}: {reason}"
        for location in locations
        if (reason := _obstacle(location, locations[0]))
    ]
    if read == "disk" and obstacles:
        raise DataError(f"dataset.source.read: disk: {obstacles[0]}, or leave `read` out")
    size = sum(location.size for location in locations)
    most = MAX_IN_MEMORY if len(locations[0].shape) > 2 else MAX_TABLE
    if obstacles or (read == "auto" and size <= most):
        return None
    return [
        StoredRows(StoredArrays([contiguous(location)]), _row(location.shape))
        for location in locations
    ]


def concatenate(first: StoredRows, second: StoredRows) -> StoredRows:
    """The rows of both, whole, which must be of one shape and one kind of number."""
    arrays = StoredArrays([*first.arrays.locations, *second.arrays.locations])
    return StoredRows(arrays, first.row)


def _row(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(d,) of a table, (h, w, c) of images; a single column or channel may be left out."""
    return shape[1:] if len(shape) in (2, 4) else (*shape[1:], 1)


def _obstacle(location: ArrayLocation, first: ArrayLocation) -> str:
    dtype = location.dtype
    if location.obstacle:
        return location.obstacle
    if dtype.kind not in "biuf":
        return f"holds {dtype}, not numbers; save numbers"
    if not 1 <= len(location.shape) <= 4:
        return f"expected 1 to 4 axes, it holds the shape {location.shape}; save rows"
    if dtype != first.dtype:
        return f"holds {dtype}, the first part {first.dtype}; save both as the same kind of number"
    return ""
