"""IDX, MNIST's format: a magic number, the lengths of the axes, then the numbers, highest byte first; plain or gzip."""
import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from nettrain.data.file_kind import cannot_read
from nettrain.errors import DataError

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_PORTION = 2**20
_BEST_RATIO = 1032                                           # deflate cannot pack tighter


def read_idx(path: Path) -> np.ndarray:
    """The array. The header is held against what the file can hold before anything is allocated. Raises DataError."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as stream:
            start = stream.read(4)
            if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or start[3] == 0:
                raise DataError(f"{path}: not an IDX file: it starts with {start.hex(' ') or 'nothing'}, expected 00 00, a type and the "
                                "number of axes (00 00 08 03 for images)")
            axes = stream.read(4 * start[3])
            if len(axes) < 4 * start[3]:
                raise DataError(f"{path}: ends within its header; the file is cut short")
            shape = struct.unpack(f">{start[3]}I", axes)
            dtype = np.dtype(_TYPES[start[2]])
            promised = math.prod(shape) * dtype.itemsize
            room = size * _BEST_RATIO if packed else size - 4 - len(axes)
            if promised > room:
                raise _cut_short(path, shape, promised, f"at most {room}" if packed else str(room))
            data = bytearray()
            while portion := stream.read(min(_PORTION, promised + 1 - len(data))):
                data += portion
    except (OSError, EOFError, zlib.error) as error:
        raise cannot_read(path, error) from None
    if len(data) < promised:
        raise _cut_short(path, shape, promised, str(len(data)))
    if len(data) > promised:
        raise DataError(f"{path}: holds more than the {promised} bytes that its header {shape} promises; the file is damaged")
    return np.frombuffer(data, dtype).reshape(shape)


def _cut_short(path: Path, shape: tuple[int, ...], promised: int, there: str) -> DataError:
    return DataError(f"{path}: the header promises {shape}, {promised} bytes, and {there} follow; the file is cut short or damaged")
