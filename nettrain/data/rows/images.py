"""Image files as rows, decoded once: into memory or, where they are large, into a file."""

import math
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy_format

from nettrain.data.cache import cached_name, file_state, made_once
from nettrain.data.readers.arrays import locate_npy
from nettrain.data.readers.image_file import CHANNELS, Color, Header, read_header, read_image
from nettrain.data.rows.array_files import StoredArrays
from nettrain.data.rows.base import MAX_IN_MEMORY, chunks
from nettrain.data.rows.stored import ReadMode, StoredRows
from nettrain.errors import DataError
from nettrain.files import check_memory

_THREADS = 8
_BLOCK = 16  # images that a thread takes at a time
Size = tuple[int, int]


@dataclass(frozen=True)
class ImageRows:
    """Image files and what is decoded of them: rows (n, h, w, c), in the order of the files.

    Use `of`, which looks at the files, to make one.

    Attributes:
        files: The image files.
        shape: (n, h, w, c)
        color: Into which they are made.
        dtype: uint8, or float32, also 0 ... 255, where a grey image has 16 bits.
        notes: What is assumed about them, a sentence each.
    """

    files: tuple[Path, ...]
    shape: tuple[int, ...]
    color: Color
    dtype: type[np.number]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        files: Sequence[Path],
        size: Size | None,
        color: Color | None,
        known: Size | None = None,
    ) -> "ImageRows":
        """Look at the headers of image files.

        Args:
            files: The image files.
            size: (h, w), to which they are scaled; None: that of all files.
            color: Into which they are made; None: that of all files.
            known: (h, w) that a trained model wants; without `size` the files must have it.

        Raises:
            DataError: A file is damaged, or sizes or colours differ.
        """
        headers = [read_header(file) for file in files]
        height, width = _common_size(files, headers, known) if size is None else size
        color = _common_color(files, headers) if color is None else color
        wide = sum(header.kept == 16 for header in headers)
        lost = sum(header.depth > header.kept for header in headers)
        notes = []
        if wide:
            notes.append(
                f"grey images of 16 bits: {wide}; they are kept as numbers v / 257, 0 ... 255"
            )
        if lost:
            notes.append(
                f"images of 16 bits with colours or transparency: {lost}; Pillow reads 8 bits"
            )
        shape = (len(files), height, width, CHANNELS[color])
        return cls(tuple(files), shape, color, np.float32 if wide else np.uint8, tuple(notes))

    def decoded(self, read: ReadMode) -> np.ndarray | StoredRows:
        """The rows, in memory or in a file of the cache.

        Raises:
            DataError: A file is damaged, or the decoded images cannot be written, or do not fit
                into memory.
        """
        row = math.prod(self.shape[1:]) * np.dtype(self.dtype).itemsize
        size = self.shape[0] * row
        at_once = next(iter(chunks(self.shape)))
        check_memory(
            f"{self.files[0].parent}: images of {_shown(self.shape[1:3])}", at_once.stop * row
        )
        if read == "disk" or (read == "auto" and size > MAX_IN_MEMORY):
            return StoredRows(StoredArrays([locate_npy(self._decoded_file())]), self.shape[1:])
        check_memory(f"{self.files[0].parent}: {len(self.files)} images", size)
        rows = np.empty(self.shape, self.dtype)
        with ThreadPoolExecutor(_threads()) as pool:
            self._decode(self.files, rows, pool)
        return rows

    def _decode(self, files: Sequence[Path], out: np.ndarray, pool: ThreadPoolExecutor) -> None:
        extra = () if self.dtype == np.uint8 else (self.dtype,)

        def decode_block(start: int) -> None:
            for row in range(start, min(start + _BLOCK, len(files))):
                out[row] = read_image(files[row], out.shape[1:3], self.color, *extra)

        with warnings.catch_warnings(action="ignore"):  # here, because filters are global
            # In order: of several damaged files the first is named.
            for _ in pool.map(decode_block, range(0, len(files), _BLOCK)):
                pass

    def _decoded_file(self) -> Path:
        """An npy file of the rows in the user's cache folder."""
        described = repr((self.shape, self.color, np.dtype(self.dtype).str))
        folder = Path(os.path.commonpath([file.parent for file in self.files]))
        name = cached_name(folder.name, [described, *map(file_state, self.files)], ".npy")
        return made_once(
            "images",
            name,
            self._write,
            of=f"{len(self.files)} images of {folder}",
            size=math.prod(self.shape) * np.dtype(self.dtype).itemsize,
            remedy="set dataset.source.size to smaller images, or dataset.source.read: memory",
        )

    def _write(self, file: BinaryIO) -> None:
        header = {
            "descr": np.dtype(self.dtype).str,
            "fortran_order": False,
            "shape": self.shape,
        }
        npy_format.write_array_header_1_0(file, header)
        with ThreadPoolExecutor(_threads()) as pool:
            for chunk in chunks(self.shape):
                rows = np.empty((chunk.stop - chunk.start, *self.shape[1:]), self.dtype)
                self._decode(self.files[chunk], rows, pool)
                file.write(rows.data)


def _common_size(files: Sequence[Path], headers: Sequence[Header], known: Size | None) -> Size:
    sizes = [(header.height, header.width) for header in headers]
    if known is not None:
        other = next((i for i, size in enumerate(sizes) if size != known), None)
        if other is not None:
            raise DataError(
                f"{files[other]}: the image is {_shown(sizes[other])} (height x width), the model "
                f"knows {_shown(known)}: scale it, or train again with dataset.source.size, and "
                "predictions scale what they are given"
            )
    other = next((i for i, size in enumerate(sizes) if size != sizes[0]), None)
    if other is not None:
        raise DataError(
            f"images of several sizes: {files[0]} is {_shown(sizes[0])}, {files[other]} is "
            f"{_shown(sizes[other])} (height x width); set dataset.source.size, such as "
            f"{list(min(sizes))}, to which all are scaled"
        )
    return sizes[0]


def _common_color(files: Sequence[Path], headers: Sequence[Header]) -> Color:
    colors = [header.color for header in headers]
    other = next((i for i, color in enumerate(colors) if color != colors[0]), None)
    if other is not None:
        raise DataError(
            f"images with and without colours: {files[0]} is {colors[0]}, {files[other]} is "
            f"{colors[other]}; set dataset.source.color: rgb or grey, into which all are made"
        )
    return colors[0]


def _shown(size: Sequence[int]) -> str:
    return f"{size[0]} x {size[1]}"


def _threads() -> int:
    return min(os.cpu_count() or 1, _THREADS)
