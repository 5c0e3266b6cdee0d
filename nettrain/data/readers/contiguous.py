"""Arrays whose rows cannot be read one by one, written so that they can: once, into the cache."""

import shutil
import zipfile
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy_format

from nettrain.data.cache import cached_name, file_state, made_once
from nettrain.data.readers.arrays import locate_npy, reading, skip_header
from nettrain.data.rows.array_files import ArrayLocation
from nettrain.data.rows.base import chunks
from nettrain.data.rows.memory_map import MemoryMap

_READ = 2**22  # bytes


def contiguous(location: ArrayLocation) -> ArrayLocation:
    """The array where its rows lie one after the other: in its own file, or in one of the cache.

    Raises:
        DataError: The file is damaged, or the cache cannot be written.
    """
    if not location.member and not location.fortran_order:
        return location

    def write(file: BinaryIO) -> None:
        header = {"descr": location.dtype.str, "fortran_order": False, "shape": location.shape}
        npy_format.write_array_header_1_0(file, header)
        with reading(location.path):
            (_unpack if location.member else _transpose)(location, file)

    path = made_once(
        "arrays",
        cached_name(location.path.name, (file_state(location.path), location.member), ".npy"),
        write,
        of=str(location.path),
        size=location.size,
        remedy="set dataset.source.read: memory",
    )
    return locate_npy(path)


def _unpack(location: ArrayLocation, file: BinaryIO) -> None:
    with zipfile.ZipFile(location.path) as archive, archive.open(location.member) as unpacked:
        skip_header(unpacked)
        shutil.copyfileobj(unpacked, file, _READ)


def _transpose(location: ArrayLocation, file: BinaryIO) -> None:
    content = MemoryMap(location.path)
    rows = content.array(location.offset, location.dtype, location.shape[::-1]).T
    for chunk in chunks(location.shape):
        content.use()
        file.write(np.ascontiguousarray(rows[chunk]).data)
