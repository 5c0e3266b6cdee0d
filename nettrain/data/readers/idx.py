"""IDX, MNIST's format: a magic number, the lengths of the axes, then the numbers, highest byte first; plain or gzip."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np

from nettrain.data.rows.stored import ArrayLocation
from nettrain.errors import DataError
from nettrain.files import cannot_read

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_PORTION = 2**20
_BEST_RATIO = 1032  # deflate cannot pack tighter


def read_idx(path: Path) -> np.ndarray:
    """The array. The header is held against what the file can hold before anything is allocated. Raises DataError."""
    try:
        with _opened(path) as stream:
            place = _place(stream, path)
            data = bytearray()
            while chunk := stream.read(min(_PORTION, place.size + 1 - len(data))):
                data += chunk
    except (OSError, EOFError, zlib.error) as error:
        raise cannot_read(path, error) from None
    if len(data) < place.size:
        raise _cut_short(path, place, str(len(data)))
    if len(data) > place.size:
        raise _too_long(path, place)
    return np.frombuffer(data, place.dtype).reshape(place.shape)


def locate_idx(path: Path) -> ArrayLocation:
    """Where the array of an IDX file stands. Raises DataError as `read_idx` does."""
    try:
        with _opened(path) as stream:
            place = _place(stream, path)
    except (OSError, EOFError, zlib.error) as error:
        raise cannot_read(path, error) from None
    if not place.obstacle and place.offset + place.size < path.stat().st_size:
        raise _too_long(path, place)
    return place


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def _place(stream: IO[bytes], path: Path) -> ArrayLocation:
    """From the header."""
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or start[3] == 0:
        raise DataError(
            f"{path}: not an IDX file: it starts with {start.hex(' ') or 'nothing'}, expected 00 00, a type and the "
            "number of axes (00 00 08 03 for images)"
        )
    axes = stream.read(4 * start[3])
    if len(axes) < 4 * start[3]:
        raise DataError(f"{path}: ends within its header; the file is cut short")
    packed, size = isinstance(stream, gzip.GzipFile), path.stat().st_size
    place = ArrayLocation(
        path,
        4 + len(axes),
        struct.unpack(f">{start[3]}I", axes),
        np.dtype(_TYPES[start[2]]),
        "is packed; unpack it with gunzip" if packed else "",
    )
    room = size * _BEST_RATIO if packed else size - place.offset
    if place.size > room:
        raise _cut_short(path, place, f"at most {room}" if packed else str(room))
    return place


def _too_long(path: Path, place: ArrayLocation) -> DataError:
    return DataError(
        f"{path}: holds more than the {place.size} bytes that its header {place.shape} promises; the file is damaged"
    )


def _cut_short(path: Path, place: ArrayLocation, there: str) -> DataError:
    return DataError(
        f"{path}: the header promises {place.shape}, {place.size} bytes, and {there} follow; the file is cut short or damaged"
    )
