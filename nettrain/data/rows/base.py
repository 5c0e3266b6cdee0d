"""The base of rows that are read or made only when they are wanted."""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

MAX_IN_MEMORY = 2**28  # bytes: larger images stay in a file, unless the source says otherwise
MAX_TABLE = 2**29  # bytes: larger tables likewise
MAX_CHUNK_ROWS = 4096
MAX_CHUNK_VALUES = 2**22  # 32 MiB in float64


class LazyRows(ABC):
    """Rows (n, *row); a slice of them, or those with some row numbers (m,), are an array.

    They do little else that arrays do, so that nothing takes all rows into memory by accident:
    `rows[:]` says that it is meant.

    Attributes:
        row: The shape of one row.
        dtype: Of the arrays that they become.
    """

    row: tuple[int, ...]
    dtype: np.dtype

    @abstractmethod
    def __len__(self) -> int:
        """n."""

    @abstractmethod
    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Put the rows with these numbers (m,) into `out` (m, *row)."""

    @abstractmethod
    def subset(self, rows: np.ndarray) -> "LazyRows":
        """Some rows, in that order; nothing is read or made."""

    @property
    @abstractmethod
    def in_file(self) -> bool:
        """Whether the numbers are on the disk, and not in memory."""

    @property
    def slow_to_take(self) -> bool:
        """Whether it pays to take them beside other work: they are made, or wait for a disk."""
        return True

    @property
    def name(self) -> str:
        """Of the file that they are in, for messages."""
        return "rows"

    def identity(self) -> tuple[str, ...]:
        """What tells these rows from all others: a digest of them, unless their file tells it."""
        digest = hashlib.blake2b(f"{self.dtype.str}{self.shape}".encode(), digest_size=16)
        for chunk in chunks(self.shape):
            digest.update(self[chunk].tobytes())
        return (digest.hexdigest(),)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, *row)."""
        return (len(self), *self.row)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return 1 + len(self.row)

    def columns_at(self, places: slice) -> np.ndarray:
        """Some columns (m, n) of all rows, which are read in chunks."""
        out = np.empty((places.stop - places.start, len(self)), self.dtype)
        for chunk in chunks(self.shape):
            out[:, chunk] = self[chunk].reshape(chunk.stop - chunk.start, -1)[:, places].T
        return out

    def __getitem__(self, key: slice | np.ndarray) -> np.ndarray:
        rows = np.arange(*key.indices(len(self))) if isinstance(key, slice) else key
        out = np.empty((len(rows), *self.row), self.dtype)
        self.take(rows, out)
        return out

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        raise TypeError(
            f"{len(self)} rows that are read when they are wanted: take some of them, or all with "
            "rows[:]"
        )


def chunks(shape: tuple[int, ...]) -> Iterator[slice]:
    """The rows of an array of this shape, in chunks that bound the memory which copies of one take.

    They depend on the shape alone.
    """
    size = min(MAX_CHUNK_ROWS, max(1, MAX_CHUNK_VALUES // max(math.prod(shape[1:]), 1)))
    for start in range(0, shape[0], size):
        yield slice(start, min(start + size, shape[0]))
