"""Rows of numbers: an array, or rows that are read or made only when they are asked for."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

MAX_IN_MEMORY = (
    2**28
)  # bytes: images that take more in a file of their own stay there, unless the source says otherwise
MAX_CHUNK_ROWS = 4096  # at a time, where rows pass one after the other ...
MAX_CHUNK_VALUES = 2**22  # ... and so many numbers: 32 MiB in float64


class LazyRows(ABC):
    """Rows (n, ...); a slice of them, or those with some row numbers (m,), are an array.

    Little else that arrays can do, so that nothing takes all rows into memory unawares: who wants that writes `rows[:]`.

    shape  (n, ...); dtype: of what is given
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    @abstractmethod
    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Put the rows with these numbers (m,) into `out` (m, ...)."""

    @abstractmethod
    def subset(self, rows: np.ndarray) -> "LazyRows":
        """Some rows, in that order; nothing is read or made."""

    @property
    @abstractmethod
    def in_file(self) -> bool:
        """Whether the numbers are on the disk, and not in memory."""

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: slice | np.ndarray) -> np.ndarray:
        rows = np.arange(*key.indices(len(self))) if isinstance(key, slice) else key
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        self.take(rows, out)
        return out

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        raise TypeError(
            f"{self.shape[0]} rows that are read when they are asked for: take some of them, or all with rows[:]"
        )


def chunks(shape: tuple[int, ...]) -> Iterator[slice]:
    """The rows of numbers of this shape, a chunk at a time that bounds the memory which copies of it take; depends on the shape alone."""
    row = 1
    for length in shape[1:]:
        row *= length
    size = min(MAX_CHUNK_ROWS, max(1, MAX_CHUNK_VALUES // max(row, 1)))
    for start in range(0, shape[0], size):
        yield slice(start, min(start + size, shape[0]))
