"""Pictures without a library: PNG bytes, and many small images as the tiles of one."""

import math
import struct
import zlib

import numpy as np

GAP = 1  # pixels between two tiles
SIZE = 48  # pixels that the longer side of a tile has at least
MOST = 64  # tiles


def png(pixels: np.ndarray) -> bytes:
    """The PNG file of uint8 pixels (h, w, 1 or 3). W3C, PNG Specification, 3rd edition."""
    height, width, channels = pixels.shape
    color_type = 0 if channels == 1 else 2
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each begins with its filter: none
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def tiles(images: np.ndarray) -> np.ndarray:
    """The first images (n, h, w, c) side by side, each stretched to the range 0 to 255.

    Three channels are colors; of any other number the mean is shown.
    """
    images = images[:MOST].astype(np.float64)
    if images.shape[3] != 3:
        images = images.mean(axis=3, keepdims=True)
    low = images.min(axis=(1, 2, 3), keepdims=True)
    spread = images.max(axis=(1, 2, 3), keepdims=True) - low
    shown = np.round((images - low) / np.where(spread > 0, spread, 1) * 255).astype(np.uint8)
    zoom = max(1, -(-SIZE // max(images.shape[1:3])))
    shown = shown.repeat(zoom, axis=1).repeat(zoom, axis=2)
    n, height, width, channels = shown.shape
    columns = math.ceil(math.sqrt(n))
    down = -(-n // columns)
    grid = np.full((down * (height + GAP), columns * (width + GAP), channels), 255, np.uint8)
    for i, tile in enumerate(shown):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        grid[top : top + height, left : left + width] = tile
    return grid


def filters(
    weights: dict[str, np.ndarray], shape: tuple[int, int, int] | None
) -> np.ndarray | None:
    """The filters (n, h, w, c) of the first layer that sees images; None where there is none.

    Those of the first convolution, or of a first dense layer on images of this shape.
    """
    for array in weights.values():
        if array.ndim == 4:
            return np.moveaxis(array, 3, 0)
        if array.ndim == 2:
            fits = shape is not None and array.shape[0] == math.prod(shape)
            return array.T.reshape(-1, *shape) if fits and shape is not None else None
    return None
