"""Images as rows (n, h, w, c): the order of their axes, and the range of their pixels."""

import math

import numpy as np

from nettrain.data.features import Features
from nettrain.data.rows.base import LazyRows
from nettrain.data.rows.stored import StoredRows
from nettrain.data.schema import Schema
from nettrain.errors import DataError

_CHANNELS_LAST = "nettrain takes channels last: np.moveaxis(x, 1, -1) of the array (n, c, h, w)"
_LARGE = 10  # pixels up to this or more were not scaled to [0, 1]
_BYTE = 255  # the largest pixel of 8 bits


def largest_pixel(numbers: np.ndarray | LazyRows) -> float:
    """The largest |x|; missing numbers are left out."""
    if isinstance(numbers, StoredRows):
        return numbers.largest()
    x = numbers[:]
    highest = float(np.fmax.reduce(x, axis=None))
    return highest if x.dtype == np.uint8 else max(highest, -float(np.fmin.reduce(x, axis=None)))


def notes_on_axes(features: Features) -> list[str]:
    """A warning if images look as if their channels came first, as PyTorch has them."""
    shape = features.numbers.shape[1:]
    if not _looks_channels_first(shape):
        return []
    h, w, c = shape
    return [
        f"warning: the images are taken as {h} x {w} pixels with {c} channels; if they are {w} x "
        f"{c} pixels with {h} channel{'s' * (h != 1)}, {_CHANNELS_LAST}"
    ]


def fit_images(features: Features, schema: Schema, origin: str) -> tuple[Features, list[str]]:
    """Images in the shape that a model was trained on, and what was assumed about them.

    A table of as many columns as an image has numbers is taken row by row of pixels.

    Raises:
        DataError: The shape is another.
    """
    numbers, expected = features.numbers, schema.shape
    shape = numbers.shape[1:]
    flat = len(shape) == 1 and shape[0] == math.prod(expected)
    if features.categories or (shape != expected and not flat):
        h, w, c = expected
        remedy = f"; {_CHANNELS_LAST}" if shape == (c, h, w) else ""
        raise DataError(
            f"{origin}: the model was trained on images of shape {expected} (height, width, "
            f"channels), these rows have the shape {shape}{remedy}"
        )
    notes = _notes_on_range(numbers, schema)
    if shape == expected:
        return Features(numbers), notes
    notes.append(f"rows of {shape[0]} numbers are taken as images of shape {expected}")
    return Features(features.array.reshape(len(features), *expected)), notes


def _looks_channels_first(shape: tuple[int, ...]) -> bool:
    return len(shape) == 3 and shape[0] in (1, 3, 4) and min(shape[1:]) > 4


def _notes_on_range(numbers: np.ndarray | LazyRows, schema: Schema) -> list[str]:
    """A warning if only one of training and these images was scaled to [0, 1], or has 8 bits."""
    if schema.largest is None:
        return []
    largest = largest_pixel(numbers)
    scaled = numbers.dtype.kind == "f" and 0 < largest <= 1 and schema.largest >= _LARGE
    unscaled = largest >= _LARGE and 0 < schema.largest <= 1
    shallow, deep = sorted((largest, schema.largest))
    other_depth = _LARGE <= shallow <= _BYTE and deep > 16 * _BYTE
    if not (scaled or unscaled or other_depth):
        return []
    return [
        f"warning: the largest pixel is {largest:g}, in training it was {schema.largest:g}: give "
        "the images in the range of training, since the model scales them itself"
    ]
