"""Columns from which nothing can be learned: constant ones, row numbers, identifiers, free text."""

import re

import numpy as np

from nettrain.data.automatic import kind_of_texts
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.readers.date_text import AmbiguousDate, date_format

_ID = re.compile(r"(^|[_\s.-])(id|uuid|guid|key|index)$|^unnamed(: ?\d+)?$|^$", re.I)
_ID_CASED = re.compile(r"[a-z](Id|ID)$")
_FEWEST = 10  # rows by which a column of different values shows what it is


def unused_columns(features: Features) -> dict[str, str]:
    """The columns that a model is better off without, each with the reason.

    If none would be left, all are kept.
    """
    found: dict[str, str] = {}
    for place, name in enumerate(features.names):
        if reason := _of_numbers(name, features.array[:, place]):
            found[name] = reason
    for name, column in features.categories.items():
        if reason := _of_texts(column):
            found[name] = reason
    left = len(features.names) + len(features.categories) - len(found)
    return found if left else {}


def _of_numbers(name: str, x: np.ndarray) -> str:
    present = x[~np.isnan(x)]
    if not present.size:
        return "no values"
    if present.size == x.size and present.min() == present.max():
        return f"always {present[0]:g}"
    if x.size < _FEWEST or present.size < x.size or not (x == np.floor(x)).all():
        return ""
    values = np.unique(x)
    if len(values) < len(x):
        return ""
    if values[0] in (0, 1) and values[-1] - values[0] == len(x) - 1:
        return "numbers the rows"
    if _ID_CASED.search(name) or _ID.search(name):
        return "a different number in every row: an identifier"
    return ""


def _of_texts(column: Category) -> str:
    texts = [column.values[code] for code in np.unique(column.codes[column.codes != MISSING])]
    if not texts:
        return "no values"
    if len(texts) == 1 and (column.codes != MISSING).all():
        return f"always {texts[0]!r}"
    kind = kind_of_texts(column)
    if kind == "unique":
        return f"{len(texts):,} different texts in {len(column.codes):,} rows: names or free text"
    if kind == "date":
        try:
            date_format(texts)
        except AmbiguousDate as error:
            return f"dates that may be {error}; the transform datetime takes the format"
    return ""
