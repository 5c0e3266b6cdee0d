"""One column of Python or NumPy values as numbers or categories, and the type of its values."""

import numbers
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from nettrain.data.distinct import distinct
from nettrain.data.features import MISSING, Category
from nettrain.data.target import LabelType
from nettrain.errors import DataError

Column = np.ndarray | Category  # numbers (n,), NaN where missing, or texts
_LABEL_TYPES: dict[str, LabelType] = {"b": "boolean", "i": "integer", "u": "integer", "f": "float"}
_MISSING_TYPES = ("NAType", "NaTType")  # of pandas.NA and pandas.NaT
_DATES = (date, time, timedelta)  # a datetime is a date


def column_of(
    array: np.ndarray, origin: str, numeric: bool | None = None, *, categorical: bool = False
) -> tuple[Column, LabelType]:
    """Numbers (n,) with NaN where missing, or codes into the sorted texts.

    Args:
        array: (n,) of numbers, booleans, strings, or objects of one of these kinds. None, NaN and
            pandas.NA are missing values.
        origin: What it is, for messages.
        numeric: True for numbers, False for categories; None: the values decide.
        categorical: Whether the values, numbers too, name categories.

    Raises:
        DataError: The values are dates, lists or other objects, of several kinds, or not of the
            kind that is wanted.
    """
    if array.dtype.kind in "mM":
        raise DataError(f"{origin} holds dates or times ({array.dtype}); {_DATES_REMEDY}")
    if array.dtype.kind == "S":
        array = _decoded(array, origin)
    if array.dtype.kind not in "biufOU":
        raise DataError(
            f"{origin} holds values of type {array.dtype}; expected numbers, booleans or strings"
        )
    missing = _missing(array)
    kind = _kind(array, missing, origin)
    if kind == "string" or numeric is False or (categorical and numeric is None):
        if kind == "string" and numeric and not missing.all():
            text = array[~missing][0]
            raise DataError(f"{origin}: expected numbers, got strings such as {str(text)!r}")
        return _category(array, missing, kind), kind
    if array.dtype.kind in "biuf":
        return array if array.dtype == np.float32 else array.astype(np.float64), kind
    values = np.full(len(array), np.nan)
    values[~missing] = array[~missing].astype(np.float64)
    return values, kind


_DATES_REMEDY = "derive numbers from them (year, weekday, seconds since a start), or leave it out"


def _decoded(array: np.ndarray, origin: str) -> np.ndarray:
    try:
        return np.char.decode(array, "utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{origin}: holds bytes that are not UTF-8; save texts") from None


def _missing(array: np.ndarray) -> np.ndarray:
    """Which values (n,) are NaN, None, pandas.NA or pandas.NaT."""
    if array.dtype.kind == "f":
        return np.isnan(array)
    if array.dtype.kind != "O":
        return np.zeros(len(array), bool)
    return np.fromiter(map(_is_missing, array), bool, len(array))


def _is_missing(value: Any) -> bool:
    if isinstance(value, float | np.floating):
        return bool(value != value)
    return value is None or type(value).__name__ in _MISSING_TYPES


def _kind(array: np.ndarray, missing: np.ndarray, origin: str) -> LabelType:
    """What the values are that are there."""
    if array.dtype.kind == "U":
        return "string"
    if array.dtype.kind != "O":
        return _LABEL_TYPES[array.dtype.kind]
    present = array[~missing]
    kinds = {_kind_of_type(one, origin): one for one in dict.fromkeys(map(type, present))}
    if len(kinds) > 1 and kinds.keys() <= {"integer", "float"}:
        return "float"
    if len(kinds) > 1:
        values = [next(v for v in present if type(v) is one) for one in kinds.values()]
        raise DataError(
            f"{origin} holds values of several kinds ({', '.join(map(repr, values))}); make them "
            "all numbers or all strings"
        )
    return next(iter(kinds), "float")


def _kind_of_type(kind: type, origin: str) -> LabelType:
    if issubclass(kind, str):
        return "string"
    if issubclass(kind, bool | np.bool_):
        return "boolean"
    if issubclass(kind, numbers.Integral):
        return "integer"
    if issubclass(kind, numbers.Real | Decimal):
        return "float"
    if issubclass(kind, _DATES):
        raise DataError(f"{origin} holds dates or times ({kind.__name__}); {_DATES_REMEDY}")
    raise DataError(
        f"{origin} holds objects of type {kind.__name__}; expected numbers, booleans or strings"
    )


def _category(array: np.ndarray, missing: np.ndarray, kind: LabelType) -> Category:
    codes = np.full(len(array), MISSING, np.int32)
    present = array[~missing]
    if kind == "string":
        values, inverse = distinct(present.astype(str))
        texts = tuple(map(str, values))
    else:
        values, inverse = distinct(present.astype(np.float64))
        texts = tuple(str(int(v)) if v == int(v) else repr(float(v)) for v in values)
    codes[~missing] = inverse
    return Category(codes, texts)
