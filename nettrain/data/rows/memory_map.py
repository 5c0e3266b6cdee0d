"""A file mapped into memory, of which little stays there."""

import mmap
from contextlib import suppress
from pathlib import Path

import numpy as np

from nettrain.errors import DataError
from nettrain.files import cannot_read, open_regular

_MOST_RESIDENT = 2**26  # bytes of mapped files: above it, pages are given back
_USES = 32  # between two looks at how much is resident
_STATM = "/proc/self/statm"  # its third number counts the resident pages of files; on Linux


class MemoryMap:
    """The bytes of a file that only nettrain writes, read as arrays.

    Pages that were touched count as memory of the process until the system wants them back. So that
    this does not grow to the size of the file, they are given back now and then; they stay in the
    system's cache of files.

    Args:
        path: Of the file.
        most_resident: How many bytes of mapped files may be resident.

    Raises:
        DataError: The file cannot be opened or mapped.
    """

    def __init__(self, path: Path, most_resident: int = _MOST_RESIDENT) -> None:
        self.path, self._most_resident = path, most_resident
        try:
            with open_regular(path) as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: it is empty
            raise cannot_read(path, error) from None
        self._size = len(self._map)
        self._uses = 0
        self._others = _resident()  # libraries are mapped files too

    def array(self, offset: int, dtype: np.dtype | type, shape: tuple[int, ...]) -> np.ndarray:
        """The numbers from a byte on."""
        count = int(np.prod(shape))
        return np.frombuffer(self._map, dtype, count, offset).reshape(shape)

    def use(self) -> None:
        """To be called before arrays are read.

        Raises:
            DataError: The file has been cut short: reading behind its end would kill the process.
        """
        if self._map.size() < self._size:  # that of the file
            raise DataError(
                f"{self.path}: has been cut short while it was in use; leave the file alone during "
                "training, and train again"
            )
        self._uses += 1
        if self._uses % _USES == 0 and _resident() - self._others > self._most_resident:
            with suppress(AttributeError, OSError):  # where the system has no such call
                self._map.madvise(mmap.MADV_DONTNEED)


def _resident() -> int:
    """The bytes of mapped files that are resident; 0 where the system does not tell."""
    try:
        with open(_STATM, "rb") as file:
            return int(file.read().split()[2]) * mmap.PAGESIZE
    except OSError:
        return 0
