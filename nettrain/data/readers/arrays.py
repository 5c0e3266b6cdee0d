"""NumPy's files (npy, npz), read with care: nothing is unpickled, and headers are not believed.

What a header promises is compared with the size of the file, and with the memory that is free,
before anything is allocated.
"""

import lzma
import math
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.lib import format as npy_format

from nettrain.data.rows.array_files import ArrayLocation
from nettrain.errors import DataError, nearest
from nettrain.files import cannot_read, check_memory, check_unpacked, open_regular

_MOST_AXES = 32
_LONGEST_AXIS = 2**48  # NumPy refuses to make arrays of longer ones, also of no elements
_KINDS = "biufcSU"  # truth values, numbers, bytes and texts
# What damaged zip files make zipfile and its unpackers raise.
DAMAGED_ZIP = (
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    RuntimeError,  # a password is needed; NotImplementedError: an unknown compression
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)


class _Header(NamedTuple):
    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype

    @property
    def size(self) -> int:
        """In bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def several_columns(self) -> bool:
        """Whether columns lie one after the other, and there are several."""
        return self.fortran_order and sum(length > 1 for length in self.shape) > 1


def read_npy(path: Path) -> np.ndarray:
    """The array of an npy file.

    Raises:
        DataError: It is cut short, malformed, too large, or holds pickled objects.
    """
    with reading(path), open_regular(path) as file:
        return _read(file, path.stat().st_size, str(path))


def read_npz(path: Path, names: dict[str, str]) -> dict[str, np.ndarray]:
    """Chosen arrays of an npz file; others are not read.

    Args:
        path: The file.
        names: The name of each array, by the YAML key that asks for it.

    Returns:
        The arrays, by key.

    Raises:
        DataError: An array is not there, or as `read_npy` does.
    """
    arrays = {}
    with reading(path), open_regular(path) as file, zipfile.ZipFile(file) as archive:
        for key, name in names.items():
            member = _member(archive, path, key, name)
            origin = f"{path}: {name}"
            check_unpacked(origin, member.compress_size, member.file_size)
            with archive.open(member) as unpacked:
                arrays[key] = _read(unpacked, member.file_size, origin)
    return arrays


def array_names(path: Path) -> list[str]:
    """The names of the arrays in an npz file. Raises DataError if it cannot be read."""
    with reading(path), open_regular(path) as file, zipfile.ZipFile(file) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


def locate_npy(path: Path) -> ArrayLocation:
    """Where the array of an npy file begins. Raises DataError as `read_npy` does."""
    with reading(path), open_regular(path) as file:
        return _locate(file, 0, path.stat().st_size, path, str(path))


def locate_npz(path: Path, key: str, name: str) -> ArrayLocation:
    """Where an array of an npz file begins. Raises DataError as `read_npz` does."""
    origin = f"{path}: {name}"
    with reading(path), open_regular(path) as file, zipfile.ZipFile(file) as archive:
        member = _member(archive, path, key, name)
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            with archive.open(member) as unpacked:
                header = _read_header(unpacked, member.file_size, origin)
            obstacle = ""
            if header.several_columns:
                obstacle = (
                    f"{name} is compressed and in Fortran order; save numpy.ascontiguousarray of it"
                )
            return ArrayLocation(
                path, 0, header.shape, header.dtype, obstacle, member=member.filename
            )
        # The lengths of name and extra field in the local header may differ from the directory's.
        file.seek(member.header_offset + 26)
        start = member.header_offset + 30 + sum(struct.unpack("<HH", file.read(4)))
        file.seek(start)
        end = min(start + member.file_size, path.stat().st_size)
        return _locate(file, start, end, path, origin)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Says in the user's terms what is wrong with a file."""
    try:
        yield
    except DAMAGED_ZIP as error:
        raise cannot_read(path, error) from None


def _locate(file: IO[bytes], start: int, end: int, path: Path, origin: str) -> ArrayLocation:
    header = _read_header(file, end - start, origin, start)
    return ArrayLocation(
        path, file.tell(), header.shape, header.dtype, fortran_order=header.several_columns
    )


def skip_header(file: IO[bytes]) -> None:
    """Leave the file of an npy array where its numbers begin."""
    _read_header(file, _LONGEST_AXIS * _MOST_AXES, "array")


def _member(archive: zipfile.ZipFile, path: Path, key: str, name: str) -> zipfile.ZipInfo:
    names = archive.namelist()
    known = [name.removesuffix(".npy") for name in names]
    if name not in known:
        listed = ", ".join(known) or "none"
        raise DataError(
            f"{path}: {key}: there is no array {name!r}{nearest(name, known)} (there are: {listed})"
        )
    return archive.getinfo(f"{name}.npy" if f"{name}.npy" in names else name)


def _read(file: IO[bytes], size: int, origin: str) -> np.ndarray:
    """One array, its header first."""
    header = _read_header(file, size, origin)
    check_memory(origin, header.size)
    left = size - file.tell()
    data = file.read(header.size)
    if len(data) < header.size:
        raise _cut_short(origin, header, left)
    array = np.frombuffer(data, header.dtype)
    return array.reshape(header.shape, order="F" if header.fortran_order else "C")


def _read_header(file: IO[bytes], size: int, origin: str, start: int = 0) -> _Header:
    """The header of an array that takes `size` bytes from `start` on.

    The file is left where the numbers begin.
    """
    try:
        version = npy_format.read_magic(file)
        read = (
            npy_format.read_array_header_1_0
            if version == (1, 0)
            else npy_format.read_array_header_2_0
        )
        with warnings.catch_warnings(action="ignore"):  # of headers that Python 2 wrote
            header = _Header(*read(file))
    except OSError:
        raise
    except Exception as error:  # the header is Python text: damaged, it raises errors of any kind
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        raise DataError(f"{origin}: not a NumPy array: {reason}") from None
    _check_header(header, origin)
    left = size - (file.tell() - start)
    if header.size > left:
        raise _cut_short(origin, header, left)
    return header


def _check_header(header: _Header, origin: str) -> None:
    shape, dtype = header.shape, header.dtype
    if dtype.hasobject:
        raise DataError(
            f"{origin}: holds pickled Python objects, which are not loaded (they can run code); "
            "save numbers or texts"
        )
    if dtype.kind not in _KINDS or dtype.itemsize == 0 or dtype.subdtype is not None:
        raise DataError(
            f"{origin}: holds values of type {dtype}; only numbers and texts can be learned from: "
            "save one of them"
        )
    whole = all(type(length) is int and 0 <= length <= _LONGEST_AXIS for length in shape)
    if not whole or len(shape) > _MOST_AXES:
        raise DataError(f"{origin}: not a NumPy array: its header promises the shape {shape}")


def _cut_short(origin: str, header: _Header, left: int) -> DataError:
    return DataError(
        f"{origin}: the header promises {header.dtype} {header.shape}, {header.size} bytes, and "
        f"{left} follow; the file is cut short"
    )
