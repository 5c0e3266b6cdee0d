"""The network's inputs of raw rows: finite numbers, or an error that names row and column."""

from collections.abc import Callable, Sequence

import numpy as np

from nettrain.data.features import Features
from nettrain.data.fitted import Fitted, transformed
from nettrain.data.linear import LinearTransform
from nettrain.data.target import Target
from nettrain.data.transform import OutsideDomain
from nettrain.errors import DataError


def checked_inputs(
    features: Features,
    transforms: Sequence[Fitted],
    dtype: str,
    place: Callable[[int], str],
    start: int = 0,
    trained_on: Target | None = None,
) -> np.ndarray:
    """The inputs (n, ...) of rows in memory.

    Args:
        features: The raw columns.
        transforms: In order.
        dtype: float32 or float64.
        place: Says where a row is.
        start: The number of the first row, for `place`.
        trained_on: The targets of rows that a network is to be trained on.

    Raises:
        DataError: A number is missing or infinite, a text is left, or a transform has no value.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # reported below, with its place
            features = transformed(features, transforms, trained_on)
    except OutsideDomain as error:
        raise DataError(f"{place(start + error.row)}: {error}") from None
    if features.categories:
        named = ", ".join(repr(name) for name in features.categories)
        raise DataError(
            f"texts where numbers are needed, in the columns {named}; add one_hot or "
            "ordinal to `dataset.transforms`, or list them under the source's `ignore`"
        )
    with np.errstate(over="ignore"):  # what overflows is reported below, with its place
        x = features.matrix.astype(dtype, copy=False)
    if not np.isfinite(x).all():
        row, *index = (int(i) for i in np.argwhere(~np.isfinite(x))[0])
        where = f"{place(start + row)}: " + (
            f"column {features.names[index[0]]!r}" if features.names else f"pixel {index}"
        )
        if np.isnan(x[row][tuple(index)]):
            raise DataError(
                f"{where} is missing or NaN; add impute to `dataset.transforms`, or leave the "
                "row out"
            )
        raise DataError(f"{where} is infinite in {dtype}; correct the value, or leave the row out")
    return x


def keeps_bytes_finite(transforms: Sequence[Fitted], shape: tuple[int, ...], dtype: str) -> bool:
    """Whether all bytes become finite numbers: linear transforms keep extremes extreme.

    Args:
        transforms: Of images.
        shape: Of an image.
        dtype: Of the inputs.
    """
    if not all(isinstance(fitted.transform, LinearTransform) for fitted in transforms):
        return False
    extremes = np.stack([np.full(shape, byte, np.uint8) for byte in (0, 255)])
    try:
        checked_inputs(Features(extremes), transforms, dtype, "byte {}".format)
    except DataError:
        return False
    return True
