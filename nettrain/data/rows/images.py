"""Many image files as rows of bytes: decoded once, into memory or, where they are large together, into a file of their own."""

import hashlib
import logging
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format

from nettrain.data.readers.arrays import locate_npy
from nettrain.data.readers.image_file import CHANNELS, Color, Header, read_header, read_image
from nettrain.data.rows.base import MAX_IN_MEMORY, chunks
from nettrain.data.rows.stored import ReadMode, StoredArrays, StoredRows
from nettrain.errors import DataError

_LOG = logging.getLogger(__name__)
_THREADS = 8
_BLOCK = 16  # images that a thread takes at a time
Size = tuple[int, int]


def image_rows(
    files: Sequence[Path],
    size: Size | None,
    color: Color | None,
    read: ReadMode,
    known: Size | None = None,
) -> np.ndarray | StoredRows:
    """(n, h, w, c) uint8, in the order of the files. size (h, w), color: None takes what all files have.

    known  the size that a trained model wants; without `size` the files must have it
    Raises DataError for damaged files, for sizes or colours that differ, and where the decoded images cannot be written.
    """
    headers = [read_header(file) for file in files]
    height, width = _common_size(files, headers, known) if size is None else size
    settled = _common_color(files, headers) if color is None else color
    shape = (len(files), height, width, CHANNELS[settled])
    if read == "disk" or (read == "auto" and np.prod(shape) > MAX_IN_MEMORY):
        return StoredRows(
            StoredArrays([locate_npy(_decoded_file(files, shape, settled))]), shape[1:]
        )
    rows = np.empty(shape, np.uint8)
    with ThreadPoolExecutor(_threads()) as pool:
        _decode(files, settled, rows, pool)
    return rows


def _decode(files: Sequence[Path], color: Color, out: np.ndarray, pool: ThreadPoolExecutor) -> None:
    def block(start: int) -> None:
        for row in range(start, min(start + _BLOCK, len(files))):
            out[row] = read_image(files[row], out.shape[1:3], color)

    with warnings.catch_warnings(action="ignore"):  # here, because filters belong to all threads
        for _ in pool.map(
            block, range(0, len(files), _BLOCK)
        ):  # in order: of several damaged files the first is named
            pass


def _decoded_file(files: Sequence[Path], shape: tuple[int, ...], color: Color) -> Path:
    """An npy file of the decoded images in the user's cache folder, named after all that decides what is in it."""
    digest = hashlib.blake2b(repr((shape, color)).encode(), digest_size=16)
    for file in files:
        found = file.stat()
        digest.update(repr((str(file.absolute()), found.st_size, found.st_mtime_ns)).encode())
    folder = Path(import_module("pooch").os_cache("nettrain")) / "images"
    target = folder / f"{digest.hexdigest()}.npy"
    if not target.exists():
        size = np.prod(shape) / 1e9
        _LOG.warning(
            "decoding %d images into %s (%.2g GB), from where they are read; it may be removed any time",
            len(files),
            target,
            size,
        )
        partial = folder / f".{target.name}.{os.getpid()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                _write(files, shape, color, partial)
                os.replace(partial, target)
            finally:
                partial.unlink(missing_ok=True)
        except OSError as error:
            raise DataError(
                f"{target}: the decoded images cannot be written: {error.strerror or error}; make room there, set "
                "dataset.source.size to smaller images, or dataset.source.read: memory"
            ) from None
    return target


def _write(files: Sequence[Path], shape: tuple[int, ...], color: Color, path: Path) -> None:
    with path.open("wb") as file, ThreadPoolExecutor(_threads()) as pool:
        npy_format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": shape}
        )
        for chunk in chunks(shape):
            rows = np.empty((chunk.stop - chunk.start, *shape[1:]), np.uint8)
            _decode(files[chunk], color, rows, pool)
            file.write(rows.data)


def _common_size(files: Sequence[Path], headers: Sequence[Header], known: Size | None) -> Size:
    sizes = [(header.height, header.width) for header in headers]
    strange = next((place for place, size in enumerate(sizes) if known not in (None, size)), None)
    if known is not None and strange is not None:
        raise DataError(
            f"{files[strange]}: the image is {_shown(sizes[strange])} (height x width), the model knows {_shown(known)}"
            ": scale it, or train again with dataset.source.size, and predictions scale what they are given"
        )
    other = next((place for place, size in enumerate(sizes) if size != sizes[0]), None)
    if other is not None:
        raise DataError(
            f"images of several sizes: {files[0]} is {_shown(sizes[0])}, {files[other]} is {_shown(sizes[other])} (height x "
            f"width); set dataset.source.size, such as {list(min(sizes))}, to which all are scaled"
        )
    return sizes[0]


def _common_color(files: Sequence[Path], headers: Sequence[Header]) -> Color:
    colors = [header.color for header in headers]
    other = next((place for place, color in enumerate(colors) if color != colors[0]), None)
    if other is not None:
        raise DataError(
            f"images with and without colours: {files[0]} is {colors[0]}, {files[other]} is {colors[other]}; set "
            "dataset.source.color: rgb or grey, into which all are made"
        )
    return colors[0]


def _shown(size: Size) -> str:
    return f"{size[0]} x {size[1]}"


def _threads() -> int:
    return min(os.cpu_count() or 1, _THREADS)
