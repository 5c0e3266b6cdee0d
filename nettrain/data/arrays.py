"""Arrays in memory as features, targets and row weights, their shapes and kinds checked."""

from collections.abc import Callable
from types import NoneType

import numpy as np

from nettrain.data.cells import column_of
from nettrain.data.distinct import distinct
from nettrain.data.features import MISSING, Features
from nettrain.data.rows.stored import StoredRows
from nettrain.data.target import LabelType, Target
from nettrain.errors import DataError

_LABEL_TYPES: dict[str, LabelType] = {"b": "boolean", "i": "integer", "u": "integer", "f": "float"}
_SHAPES = "(n,), (n, d), (n, h, w) or (n, h, w, c)"


def features_from(x: object, origin: str = "x") -> Features:
    """Numbers (n,), tables (n, d) and images (n, h, w) or (n, h, w, c) as features.

    (n,) becomes (n, 1), and (n, h, w) becomes (n, h, w, 1). uint8 and float32 stay, other numbers
    become float64.

    Raises:
        DataError: The array is of another shape or kind, or empty.
    """
    if isinstance(x, StoredRows):
        return Features(x, _columns(x.shape))
    array = np.asarray(x)
    if array.dtype.kind == "O" and array.size:
        array = _numbers_of_objects(array, origin)[0]
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{origin}: expected numbers, got an array of {array.dtype}; columns of strings come "
            "in a DataFrame"
        )
    if not 1 <= array.ndim <= 4:
        raise DataError(f"{origin}: expected the shape {_SHAPES}, got {array.shape}")
    if array.size == 0:
        raise DataError(f"{origin}: no numbers in it, its shape is {array.shape}")
    if array.dtype not in (np.uint8, np.float32):
        array = array.astype(np.float64)
    if array.ndim in (1, 3):
        array = array[..., np.newaxis]
    return Features(array, _columns(array.shape))


def _columns(shape: tuple[int, ...]) -> tuple[str, ...]:
    """The names of the columns of a table; none of images."""
    return tuple(f"column_{i}" for i in range(shape[1])) if len(shape) == 2 else ()


def target_from(y: object, origin: str = "y") -> Target:
    """Texts (n,) become classes, numbers (n,) or (n, t) float64 (n, t).

    None among texts and NaN among numbers are missing values.

    Raises:
        DataError: The array is of another shape or kind, or a number is infinite.
    """
    array = np.asarray(y)
    if array.dtype.kind == "S":
        try:
            array = np.char.decode(array, "utf-8")
        except UnicodeDecodeError:
            raise DataError(f"{origin}: holds bytes that are not UTF-8; save texts") from None
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2) or array.size == 0:
        raise DataError(
            f"{origin}: expected targets of the shape (n,) or (n, t), got {array.shape}"
        )
    label_type: LabelType | None = None
    if array.dtype.kind == "O" and not _is_text(array):
        array, label_type = _numbers_of_objects(array, origin)
    else:
        label_type = _LABEL_TYPES.get(array.dtype.kind)
    if array.dtype.kind == "U" or _is_text(array):
        if array.ndim == 2:
            raise DataError(
                f"{origin}: several target columns must be numbers, got texts such as "
                f"{str(array[0, 0])!r}"
            )
        return _classes_of_texts(array)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{origin}: expected numbers or texts, got an array of {array.dtype}")
    values = array.reshape(len(array), -1).astype(np.float64)
    infinite = np.flatnonzero(np.isinf(values).any(axis=1))
    if infinite.size:
        raise DataError(
            f"{origin}: row {infinite[0]} holds {values[infinite[0]].tolist()}; a target must be "
            "finite: correct it, or leave the row out"
        )
    count = values.shape[1]
    names = ("target",) if count == 1 else tuple(f"target_{i}" for i in range(count))
    return Target(values, names, label_type=label_type)


def _numbers_of_objects(array: np.ndarray, origin: str) -> tuple[np.ndarray, LabelType]:
    """Numbers or booleans, None and NaN among them, that NumPy keeps as objects."""
    column, label_type = column_of(array.reshape(-1), origin)
    if not isinstance(column, np.ndarray):
        raise DataError(f"{origin}: expected numbers, got strings such as {column.values[0]!r}")
    return column.reshape(array.shape), label_type


def _is_text(array: np.ndarray) -> bool:
    """Whether an array of objects holds texts, and None where one is missing."""
    if array.dtype.kind != "O":
        return False
    kinds = {type(item) for item in array.ravel()}
    return str in kinds and all(issubclass(kind, str | NoneType) for kind in kinds)


def _classes_of_texts(array: np.ndarray) -> Target:
    missing = np.array([item is None for item in array])
    classes, present = distinct(array[~missing].astype(str))
    codes = np.full(len(array), MISSING, np.int64)
    codes[~missing] = present
    return Target(codes, classes=tuple(str(name) for name in classes))


def weights_from(
    w: object, rows: int, origin: str = "weights", place: Callable[[int], str] | None = None
) -> np.ndarray:
    """Row weights (n,) or (n, 1) as float64 (n,).

    Args:
        w: The weights.
        rows: n.
        origin: What they are, for messages.
        place: Says where a row is, for messages; by default `<origin>: row 3`.

    Raises:
        DataError: They are of another shape, not finite numbers of 0 or more, or all 0.
    """
    array = np.asarray(w)
    if array.dtype.kind == "O" and array.size:
        array = _numbers_of_objects(array, origin)[0]
    if array.shape not in ((rows,), (rows, 1)):
        raise DataError(
            f"{origin}: expected a weight for each of the {rows} rows, got the shape {array.shape}"
        )
    if array.dtype.kind not in "biuf":
        raise DataError(f"{origin}: expected numbers as row weights, got an array of {array.dtype}")
    weights = array.reshape(rows).astype(np.float64)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if wrong.size:
        row = int(wrong[0])
        shown = "missing or NaN" if np.isnan(weights[row]) else f"{weights[row]:g}"
        where = f"{origin}: row {row}" if place is None else f"{place(row)}: {origin}"
        raise DataError(
            f"{where}: the weight is {shown}, and must be a finite number of 0 or more; 0 leaves "
            "the row out of the loss"
        )
    if not weights.any():
        raise DataError(
            f"{origin}: every weight is 0, so no row would count; give the rows that count a "
            "weight above 0"
        )
    return weights
