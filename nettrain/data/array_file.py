"""NumPy's files read with care: the header is held against the file's size before anything is allocated, and nothing is unpickled."""
import math
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy_format

from nettrain.data.file_kind import cannot_read
from nettrain.errors import DataError, nearest


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
            there = [name.removesuffix(".npy") for name in packed.namelist()]
            found = {}
            for key, name in names.items():
                if name not in there:
                    listed = ", ".join(there) or "none"
                    raise DataError(f"{path}: {key}: there is no array {name!r}{nearest(name, there)} (there are: {listed})")
                member = packed.getinfo(f"{name}.npy" if f"{name}.npy" in packed.namelist() else name)
                with packed.open(member) as file:
                    found[key] = _read(file, member.file_size, f"{path}: {name}")
            return found
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise cannot_read(path, error) from None


def array_names(path: Path) -> list[str]:
    """The names of the arrays in an npz file."""
    try:
        with zipfile.ZipFile(path) as packed:
            return [name.removesuffix(".npy") for name in packed.namelist()]
    except (OSError, zipfile.BadZipFile) as error:
        raise cannot_read(path, error) from None


def _read(file: IO[bytes], size: int, origin: str) -> np.ndarray:
    """One array, its header first."""
    try:
        version = npy_format.read_magic(file)
        read_header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, fortran, dtype = read_header(file)
    except ValueError as error:
        raise DataError(f"{origin}: not a NumPy array: {error}") from None
    if dtype.hasobject:
        raise DataError(f"{origin}: holds pickled Python objects, which are not loaded (they can run code); save numbers or texts")
    promised, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    data = file.read(promised) if promised <= there else b""
    if len(data) < promised:
        raise DataError(f"{origin}: the header promises {dtype} {shape}, {promised} bytes, and {there} follow; the file is cut short")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
