"""StoredArrays that come in two parts, training and official test, as one dataset."""

import numpy as np

from nettrain.data.arrays import features_from, target_from
from nettrain.data.dataset import PARTS, UNASSIGNED, Dataset
from nettrain.data.rows.stored import StoredRows, concatenate
from nettrain.errors import DataError

RowsAndTargets = tuple[
    np.ndarray | StoredRows, np.ndarray | None
]  # rows, and their targets where they are wanted


def join_parts(train: RowsAndTargets, test: RowsAndTargets | None, origin: str) -> Dataset:
    """Rows of `train` free to divide, those of `test` assigned to the test part. Raises DataError where lengths or shapes differ."""
    _check_lengths(train, origin)
    if test is None:
        return _dataset(train, None, origin)
    _check_lengths(test, f"{origin} (test part)")
    for what, first, second in zip(("rows", "targets"), train, test, strict=True):
        if first is not None and second is not None and first.shape[1:] != second.shape[1:]:
            raise DataError(
                f"{origin}: {what} of the training part have the shape {first.shape[1:]}, of the test part {second.shape[1:]}"
            )
    if isinstance(train[0], StoredRows) and isinstance(test[0], StoredRows):
        x: np.ndarray | StoredRows = concatenate(train[0], test[0])
    else:
        x = np.concatenate([train[0], test[0]])
    y = None if train[1] is None or test[1] is None else np.concatenate([train[1], test[1]])
    return _dataset(
        (x, y), np.repeat([UNASSIGNED, PARTS.index("test")], [len(train[0]), len(test[0])]), origin
    )


def _dataset(pair: RowsAndTargets, part: np.ndarray | None, origin: str) -> Dataset:
    x, y = pair
    return Dataset(
        features_from(x, origin), None if y is None else target_from(y, origin), part, origin
    )


def _check_lengths(pair: RowsAndTargets, origin: str) -> None:
    rows, targets = (len(array) if array is not None and array.ndim else 0 for array in pair)
    if pair[1] is not None and rows != targets:
        raise DataError(f"{origin}: {rows} rows and {targets} targets; they must be as many")
