"""IDX, the format of MNIST: a magic number, the lengths of the axes, the numbers, big-endian."""

import struct
from pathlib import Path
from typing import IO

import numpy as np

from nettrain.data.rows.array_files import ArrayLocation
from nettrain.errors import DataError
from nettrain.files import (
    UNREADABLE,
    cannot_read,
    check_memory,
    check_unpacked,
    is_gzip,
    open_unpacked,
)

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CHUNK = 2**20  # bytes
_BEST_RATIO = 1032  # deflate cannot compress more
_MOST_AXES = 32


def read_idx(path: Path) -> np.ndarray:
    """The array of an IDX file, plain or gzip.

    Raises:
        DataError: It is no IDX file, cut short, longer than its header says, or too large. The
            header is compared with what the file can hold before anything is allocated.
    """
    try:
        with open_unpacked(path) as stream:
            location = _locate(stream, path)
            check_memory(str(path), location.size)
            data = bytearray()
            while chunk := stream.read(min(_CHUNK, location.size + 1 - len(data))):
                data += chunk
    except UNREADABLE as error:
        raise cannot_read(path, error) from None
    if len(data) < location.size:
        raise _cut_short(path, location, str(len(data)))
    if len(data) > location.size:
        raise _too_long(path, location)
    return np.frombuffer(data, location.dtype).reshape(location.shape)


def locate_idx(path: Path) -> ArrayLocation:
    """Where the array of an IDX file begins. Raises DataError as `read_idx` does."""
    try:
        with open_unpacked(path) as stream:
            location = _locate(stream, path)
    except UNREADABLE as error:
        raise cannot_read(path, error) from None
    if not location.obstacle and location.offset + location.size < path.stat().st_size:
        raise _too_long(path, location)
    return location


def labels_beside(images: Path) -> Path | None:
    """The labels of images by their usual name in the same folder, plain or gzip; None: not there.

    Example:
        t10k-labels-idx1-ubyte.gz, for t10k-images-idx3-ubyte.
    """
    plain = images.name.removesuffix(".gz")
    usual = plain.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1")
    if usual == plain:
        return None
    candidates = (images.with_name(usual), images.with_name(f"{usual}.gz"))
    return next((path for path in candidates if path.is_file()), None)


def _locate(stream: IO[bytes], path: Path) -> ArrayLocation:
    """From the header."""
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or start[3] == 0:
        raise DataError(
            f"{path}: not an IDX file: it starts with {start.hex(' ') or 'nothing'}, expected 00 "
            "00, a type and the number of axes (00 00 08 03 for images)"
        )
    axes = stream.read(4 * start[3])
    if len(axes) < 4 * start[3]:
        raise DataError(f"{path}: ends within its header; the file is cut short")
    if start[3] > _MOST_AXES:
        raise DataError(f"{path}: {start[3]} axes, more than an array has; the file is damaged")
    packed, size = is_gzip(path), path.stat().st_size
    shape = struct.unpack(f">{start[3]}I", axes)
    if 0 in shape:  # beside which the others may promise anything
        raise DataError(f"{path}: its header {shape} promises no numbers")
    dtype = np.dtype(_TYPES[start[2]])
    obstacle = "is packed; unpack it with gunzip" if packed else ""
    location = ArrayLocation(path, 4 + len(axes), shape, dtype, obstacle)
    room = size * _BEST_RATIO if packed else size - location.offset
    if location.size > room:
        raise _cut_short(path, location, f"at most {room}" if packed else str(room))
    if packed:
        check_unpacked(str(path), size, location.size)
    return location


def _too_long(path: Path, location: ArrayLocation) -> DataError:
    return DataError(
        f"{path}: holds more than the {location.size} bytes that its header {location.shape} "
        "promises; the file is damaged"
    )


def _cut_short(path: Path, location: ArrayLocation, left: str) -> DataError:
    return DataError(
        f"{path}: the header promises {location.shape}, {location.size} bytes, and {left} follow; "
        "the file is cut short or damaged"
    )
