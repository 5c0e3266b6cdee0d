"""Arrays that come in two parts, training and official test, as one dataset."""
import numpy as np

from nettrain.data.arrays import features_from, target_from
from nettrain.data.dataset import PARTS, UNASSIGNED, Dataset
from nettrain.errors import DataError

Pair = tuple[np.ndarray, np.ndarray]


def joined(train: Pair, test: Pair | None, origin: str) -> Dataset:
    """Rows of `train` free to divide, those of `test` assigned to the test part. Raises DataError where lengths or shapes differ."""
    _check_lengths(train, origin)
    if test is None:
        return Dataset(features_from(train[0], origin), target_from(train[1], origin), origin=origin)
    _check_lengths(test, f"{origin} (test part)")
    for what, first, second in (("rows", train[0], test[0]), ("targets", train[1], test[1])):
        if first.shape[1:] != second.shape[1:]:
            raise DataError(f"{origin}: {what} of the training part have the shape {first.shape[1:]}, of the test part {second.shape[1:]}")
    x, y = (np.concatenate(both) for both in zip(train, test, strict=True))
    part = np.repeat([UNASSIGNED, PARTS.index("test")], [len(train[0]), len(test[0])])
    return Dataset(features_from(x, origin), target_from(y, origin), part, origin)


def _check_lengths(pair: Pair, origin: str) -> None:
    x, y = pair
    rows, targets = (len(array) if array.ndim else 0 for array in (x, y))
    if rows != targets:
        raise DataError(f"{origin}: {rows} rows and {targets} targets; they must be as many")
