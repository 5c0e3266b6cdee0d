"""The transforms that a dataset gets when its config names none."""

from collections.abc import Iterable

import numpy as np

from nettrain.data.features import Features
from nettrain.data.images import largest_pixel
from nettrain.data.rows.base import LazyRows
from nettrain.data.rows.stored import StoredRows
from nettrain.data.transform import Transform


def automatic_transforms(train: Features, parts: Iterable[Features]) -> tuple[Transform, ...]:
    """The transforms that the data needs.

    impute where numbers are missing in any part; standardize for tables; scale pixels to [0, 1];
    one_hot for texts, last, so that its indicators stay 0 and 1.
    """
    chosen: list[object] = []
    if any(part.numbers.dtype.kind == "f" and _has_gaps(part.numbers) for part in parts):
        chosen.append("impute")
    if train.numbers.ndim <= 2:
        if train.numbers.shape[1]:
            chosen.append("standardize")
    elif train.numbers.dtype == np.uint8:
        largest = int(largest_pixel(train.numbers))
        # Pictures with a small range of their own (digits: ink counts up to 16) are spread by it.
        chosen.append(
            {"type": "scale", "divide_by": float(255 if largest > 127 else max(largest, 1))}
        )
    elif largest_pixel(train.numbers) > 1:
        chosen.append("standardize")
    if train.categories:
        chosen.append("one_hot")
    return tuple(Transform.parse(item) for item in chosen)


def _has_gaps(numbers: np.ndarray | LazyRows) -> bool:
    return (
        numbers.has_gaps() if isinstance(numbers, StoredRows) else bool(np.isnan(numbers[:]).any())
    )
