"""NumPy's files read with care: the header is held against the file's size before anything is allocated, and nothing is unpickled."""

import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy_format

from nettrain.data.rows.stored import ArrayLocation
from nettrain.errors import DataError, nearest
from nettrain.files import cannot_read


def read_npy(path: Path) -> np.ndarray:
    """The array of an npy file. Raises DataError if it is cut short, malformed, or holds pickled objects."""
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size, str(path))
    except OSError as error:
        raise cannot_read(path, error) from None


def read_npz(path: Path, names: dict[str, str]) -> dict[str, np.ndarray]:
    """Chosen arrays of an npz file; `names` maps the YAML key that asks to the array's name. Other arrays are not touched."""
    try:
        with zipfile.ZipFile(path) as packed:
            found = {}
            for key, name in names.items():
                member = _member(packed, path, key, name)
                with packed.open(member) as file:
                    found[key] = _read(file, member.file_size, f"{path}: {name}")
            return found
    except (
        OSError,
        EOFError,
        zlib.error,
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise cannot_read(path, error) from None


def array_names(path: Path) -> list[str]:
    """The names of the arrays in an npz file."""
    try:
        with zipfile.ZipFile(path) as packed:
            return [name.removesuffix(".npy") for name in packed.namelist()]
    except (OSError, zipfile.BadZipFile) as error:
        raise cannot_read(path, error) from None


def locate_npy(path: Path) -> ArrayLocation:
    """Where the array of an npy file stands. Raises DataError as `read_npy` does."""
    try:
        with path.open("rb") as file:
            return _place(file, 0, path.stat().st_size, path, str(path))
    except OSError as error:
        raise cannot_read(path, error) from None


def locate_npz(path: Path, key: str, name: str) -> ArrayLocation:
    """Where an array of an npz file stands. Raises DataError as `read_npz` does."""
    try:
        with zipfile.ZipFile(path) as packed, path.open("rb") as file:
            member = _member(packed, path, key, name)
            if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
                with packed.open(member) as unpacked:
                    shape, _, dtype = _header(unpacked, member.file_size, f"{path}: {name}")
                return ArrayLocation(
                    path,
                    0,
                    shape,
                    dtype,
                    f"{name} is compressed; save it with numpy.savez or numpy.save",
                )
            file.seek(
                member.header_offset + 26
            )  # the local header: its lengths of name and extra field may be others
            start = member.header_offset + 30 + sum(struct.unpack("<HH", file.read(4)))
            file.seek(start)
            return _place(
                file,
                start,
                min(start + member.file_size, path.stat().st_size),
                path,
                f"{path}: {name}",
            )
    except (
        OSError,
        EOFError,
        zlib.error,
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        struct.error,
    ) as error:
        raise cannot_read(path, error) from None


def _place(file: IO[bytes], start: int, end: int, path: Path, origin: str) -> ArrayLocation:
    shape, fortran, dtype = _header(file, end - start, origin, start)
    several = fortran and sum(length > 1 for length in shape) > 1
    obstacle = (
        "its rows do not lie one behind the other (Fortran order); save numpy.ascontiguousarray of it"
        if several
        else ""
    )
    return ArrayLocation(path, file.tell(), shape, dtype, obstacle)


def _member(packed: zipfile.ZipFile, path: Path, key: str, name: str) -> zipfile.ZipInfo:
    there = [name.removesuffix(".npy") for name in packed.namelist()]
    if name not in there:
        listed = ", ".join(there) or "none"
        raise DataError(
            f"{path}: {key}: there is no array {name!r}{nearest(name, there)} (there are: {listed})"
        )
    return packed.getinfo(f"{name}.npy" if f"{name}.npy" in packed.namelist() else name)


def _read(file: IO[bytes], size: int, origin: str) -> np.ndarray:
    """One array, its header first."""
    shape, fortran, dtype = _header(file, size, origin)
    there = size - file.tell()
    data = file.read(math.prod(shape) * dtype.itemsize)
    if len(data) < math.prod(shape) * dtype.itemsize:
        raise _cut_short(origin, shape, dtype, there)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _header(
    file: IO[bytes], size: int, origin: str, start: int = 0
) -> tuple[tuple[int, ...], bool, np.dtype]:
    """(shape, Fortran order, dtype) of an array that takes `size` bytes from `start` on; the file then stands where the numbers begin."""
    try:
        version = npy_format.read_magic(file)
        read_header = (
            npy_format.read_array_header_1_0
            if version == (1, 0)
            else npy_format.read_array_header_2_0
        )
        shape, fortran, dtype = read_header(file)
    except ValueError as error:
        raise DataError(f"{origin}: not a NumPy array: {error}") from None
    if dtype.hasobject:
        raise DataError(
            f"{origin}: holds pickled Python objects, which are not loaded (they can run code); save numbers or texts"
        )
    there = size - (file.tell() - start)
    if math.prod(shape) * dtype.itemsize > there:
        raise _cut_short(origin, shape, dtype, there)
    return shape, fortran, dtype


def _cut_short(origin: str, shape: tuple[int, ...], dtype: np.dtype, there: int) -> DataError:
    return DataError(
        f"{origin}: the header promises {dtype} {shape}, {math.prod(shape) * dtype.itemsize} bytes, and {there} follow; "
        "the file is cut short"
    )
