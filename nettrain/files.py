"""Opening files: regular files only, gzip by its first bytes, a bound on what is unpacked.

Every reader of the package opens its files here, so that a FIFO, a device or a small file that
unpacks to a huge one ends in a message: never in an endless wait or in all the memory there is.
"""

import errno
import gzip
import io
import os
import re
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from nettrain.errors import DataError

try:
    import resource
except ImportError:  # Windows, which has no /proc/meminfo either
    resource = None  # type: ignore[assignment]

WINDOWS = os.name == "nt"
UNREADABLE = (OSError, EOFError, zlib.error)  # what reading a plain or a gzip file may raise
LIMIT_KEY = "NETTRAIN_MAX_UNPACKED"
_VARIABLE = re.compile(r"\$\{?(\w+)")
_GZIP = b"\x1f\x8b"
_GIGABYTE = 10**9
_LIKELY_RATIO = 100  # deflate packs text 3 to 20 times smaller, 1032 times at most
_SAMPLE = 2**16  # bytes of a gzip file from which its unpacked size is estimated
_CERTAIN = 2  # times the limit: so far beyond it an estimate is enough
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def open_regular(path: Path | str) -> BinaryIO:
    """Open a regular file for reading bytes.

    Raises:
        OSError: The file cannot be opened, or is a directory, a FIFO, a socket or a device.
    """
    return open(path, "rb", opener=_open_regular)


def _open_regular(path: str, flags: int) -> int:
    # Without O_NONBLOCK, opening a FIFO waits for a process that writes into it.
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    raise OSError(errno.EINVAL, f"{_file_type(mode)}; only regular files are read", path)


def _file_type(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "Is a FIFO (named pipe)"
    return "Is a socket" if stat.S_ISSOCK(mode) else "Is a device"


def absolute_path(path: Path | str, folder: Path) -> Path:
    """A path that a file in a folder names.

    Relative ones count from the folder, `~` is the home, and `$NAME` stands for an environment
    variable, unless a file is called so.

    Raises:
        DataError: It holds characters that no path does.
    """
    if not is_path(str(path)):
        raise DataError(f"{str(path)!r}: holds characters that no path does")
    # not Path.expanduser, which fails at ~NAME where nobody is called so
    literal = folder / os.path.expanduser(path)
    if "$" not in str(path) or os.path.exists(literal):
        return literal
    return folder / os.path.expanduser(os.path.expandvars(path))


def is_path(text: str) -> bool:
    """Whether the system can be asked for a file of this name: without NUL or half characters."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def read_bytes(path: Path | str) -> bytes:
    """All bytes of a regular file. Raises OSError."""
    with _errors_naming(path), open_regular(path) as file:
        return file.read()


def read_text(path: Path | str, encoding: str = "utf-8") -> str:
    """All text of a regular file, line ends made `\\n`. Raises OSError and UnicodeError."""
    with (
        _errors_naming(path),
        io.TextIOWrapper(open_regular(path), encoding=encoding) as file,
    ):
        return file.read()


@contextmanager
def _errors_naming(path: Path | str) -> Iterator[None]:
    """Inside, every OSError names the file: those of reading and closing do not by themselves."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


def open_unpacked(path: Path) -> BinaryIO:
    """Open a regular file for reading bytes, unpacked where it is gzip.

    Raises:
        OSError: As `open_regular` does. Reading may raise any of `UNREADABLE`.
        DataError: A gzip file unpacks to more than `unpacked_limit`; while reading, or at once
            where its beginning shows it.
    """
    file = open_regular(path)
    try:
        packed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        return io.BufferedReader(_BoundedGzip(file, path), 2**17) if packed else file
    except BaseException:
        file.close()
        raise


def is_gzip(path: Path) -> bool:
    """Whether a regular file begins as gzip files do. Raises OSError."""
    with open_regular(path) as file:
        return file.read(len(_GZIP)) == _GZIP


class _BoundedGzip(io.RawIOBase):
    """The unpacked bytes of an open gzip file, up to the limit."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self._unpacked = gzip.GzipFile(fileobj=file)
        self._size = os.fstat(file.fileno()).st_size
        self._limit = unpacked_limit(self._size)
        self._count = 0
        expected = int(self._size * _packing_ratio(file))
        if expected > _CERTAIN * self._limit:  # reading up to the limit could take minutes
            raise too_large(str(path), self._size, expected, self._limit)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer. Raises DataError beyond the limit."""
        count = self._unpacked.readinto(buffer)
        self._count += count
        if self._count > self._limit:
            raise too_large(str(self._path), self._size, None, self._limit)
        return count

    def close(self) -> None:
        """Close the gzip file too."""
        if not self.closed:
            self._unpacked.close()
            self._file.close()
        super().close()


def _packing_ratio(file: BinaryIO) -> float:
    """How much the beginning of an open gzip file unpacks to, per byte; 0 where it is damaged."""
    start = file.read(_SAMPLE)
    file.seek(0)
    try:
        return len(zlib.decompressobj(wbits=31).decompress(start)) / len(start)
    except zlib.error:
        return 0.0


def unpacked_size(path: Path | str) -> int:
    """About how many bytes a regular file holds, unpacked where it is gzip. Raises OSError."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        packed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        return int(size * _packing_ratio(file)) if packed else size


def check_unpacked(origin: str, packed: int, unpacked: int) -> None:
    """Raises DataError where `unpacked` bytes are more than a file of `packed` bytes may become."""
    limit = unpacked_limit(packed)
    if unpacked > limit:
        raise too_large(origin, packed, unpacked, limit)


def check_memory(origin: str, size: int) -> None:
    """Raises DataError where `size` bytes are more than the memory that is free."""
    available = available_memory()
    if size > available:
        raise DataError(
            f"{origin}: takes {_shown(size)} in memory, and {_shown(available)} are free; "
            "take fewer rows, or a machine with more memory"
        )


def too_large(origin: str, packed: int, unpacked: int | None, limit: int) -> DataError:
    """The error for a file that unpacks to more than the limit (unpacked None: how much more?)."""
    if limit < _GIGABYTE and not os.environ.get(LIMIT_KEY):  # what decides is the memory
        return DataError(
            f"{origin}: its {_shown(packed)} unpack to more than half of the memory that is free, "
            f"{_shown(2 * limit)}; take fewer rows, or a machine with more memory"
        )
    size = "more than" if unpacked is None else f"{_shown(unpacked)}, more than"
    higher = max(2 * (unpacked or limit) // _GIGABYTE, 1)
    return DataError(
        f"{origin}: its {_shown(packed)} unpack to {size} the limit of {_shown(limit)}; if you "
        f"trust the file, raise the limit: {LIMIT_KEY}={higher}G in the environment"
    )


def unpacked_limit(packed: int) -> int:
    """How many bytes a file of `packed` bytes may unpack to.

    A gigabyte, or 100 times its size, and never more than half of the memory that is free.
    $NETTRAIN_MAX_UNPACKED, a number of bytes such as 8G, overrides it. Raises DataError if that
    is not one.
    """
    given = os.environ.get(LIMIT_KEY)
    if not given:
        return min(max(_GIGABYTE, _LIKELY_RATIO * packed), available_memory() // 2)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)B?\s*", given, re.IGNORECASE | re.ASCII)
    if match is None:
        raise DataError(f"{LIMIT_KEY}: expected a number of bytes, such as 8G, got {given!r}")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def available_memory() -> int:
    """The bytes of memory that are free, as Linux counts them; elsewhere half of all.

    What the shell or a batch system allows this process (`ulimit -v`) bounds them.
    """
    try:
        free = re.search(r"^MemAvailable:\s+(\d+) kB", read_text("/proc/meminfo"), re.MULTILINE)
        if free is not None:
            return min(int(free[1]) * 1024, _allowed_memory())
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):  # Windows
        return 4 * _GIGABYTE


def _allowed_memory() -> int:
    """How far the address space of this process may still grow."""
    limit: int = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return sys.maxsize
    pages = int(read_text("/proc/self/statm").split()[0])
    return max(limit - pages * resource.getpagesize(), 0)


def cannot_read(path: Path | str, error: Exception) -> DataError:
    """The error for a file that is absent, no regular file, not permitted, or damaged."""
    if isinstance(error, FileNotFoundError):
        where = "relative ones count from the config's folder, with --set from the current one"
        unset = _VARIABLE.search(str(path))
        hint = f"the environment has no variable {unset[1]}; " if unset else ""
        return DataError(f"{path}: no such file; {hint}check the path ({where})")
    system = error.strerror if isinstance(error, OSError) else None
    reason = system or str(error) or type(error).__name__
    return DataError(f"{path}: cannot be read: {reason[0].lower()}{reason[1:]}")


def _shown(size: int) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:,.3g} {unit}"
    return f"{size} bytes"
