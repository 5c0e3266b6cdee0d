"""Arrays that come in two parts, for training and a predefined test part, as one dataset."""

import numpy as np

from nettrain.data.arrays import features_from, target_from
from nettrain.data.dataset import PARTS, UNASSIGNED, Dataset
from nettrain.data.rows.stored import StoredRows, concatenate
from nettrain.errors import DataError

# Rows, and their targets where they are wanted.
RowsAndTargets = tuple[np.ndarray | StoredRows, np.ndarray | None]


def join_parts(train: RowsAndTargets, test: RowsAndTargets | None, origin: str) -> Dataset:
    """One dataset: rows of `train` may still be divided, those of `test` are the test part.

    Args:
        train: Rows, and their targets.
        test: Those of the test part; None: there is none.
        origin: The file, as messages name it.

    Raises:
        DataError: Lengths, shapes or types differ.
    """
    _check_lengths(train, origin)
    if test is None:
        return _dataset(train, None, origin)
    _check_lengths(test, f"{origin} (test part)")
    for what, first, second in zip(("rows", "targets"), train, test, strict=True):
        if first is None or second is None:
            continue
        if first.shape[1:] != second.shape[1:]:
            raise DataError(
                f"{origin}: {what} of the training part have the shape {first.shape[1:]}, of the "
                f"test part {second.shape[1:]}"
            )
        if _is_text(first.dtype) != _is_text(second.dtype):
            raise DataError(
                f"{origin}: {what} of the training part are {first.dtype}, of the test part "
                f"{second.dtype}; save both as the same type"
            )
    if isinstance(train[0], StoredRows) and isinstance(test[0], StoredRows):
        x: np.ndarray | StoredRows = concatenate(train[0], test[0])
    else:
        x = np.concatenate([train[0], test[0]])
    y = None if train[1] is None or test[1] is None else np.concatenate([train[1], test[1]])
    part = np.repeat([UNASSIGNED, PARTS.index("test")], [len(train[0]), len(test[0])])
    return _dataset((x, y), part, origin)


def _is_text(dtype: np.dtype) -> str:
    """Unicode, bytes, or neither, which must not mix: NumPy would make texts of numbers."""
    return dtype.kind if dtype.kind in "US" else ""


def _dataset(pair: RowsAndTargets, part: np.ndarray | None, origin: str) -> Dataset:
    x, y = pair
    features = features_from(x, origin)
    return Dataset(features, None if y is None else target_from(y, origin), part, origin)


def _check_lengths(pair: RowsAndTargets, origin: str) -> None:
    rows, targets = (len(array) if array is not None and array.ndim else 0 for array in pair)
    if pair[1] is not None and rows != targets:
        raise DataError(f"{origin}: {rows} rows and {targets} targets; they must be as many")
