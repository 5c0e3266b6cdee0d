"""Columns from which nothing can be learned: constant ones, row numbers, identifiers, free text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nettrain.data.automatic import kind_of_texts
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.readers.date_text import AmbiguousDate, date_format
from nettrain.data.rows.columns import ColumnsByName
from nettrain.inspection.data_profile.profiled_rows import ProfiledRows
from nettrain.inspection.data_profile.remedies import ignore, transform
from nettrain.inspection.data_profile.suspicion import Severity, Suspicion

_ID = re.compile(r"(^|[_\s.-])(id|identifier|uuid|guid|key|index)$|^unnamed(: ?\d+)?$|^$", re.I)
_ID_CASED = re.compile(r"[a-z](Id|ID)$")
_FEWEST = 10  # rows by which a column of different values shows what it is
_COUNTED = 0.9  # of the rows: some may stand in the file once more
_SAMPLED_RANGE = 0.95  # of the number of rows: the range of row numbers in a sample

Kind = Literal[
    "empty_column", "constant_column", "row_number", "identifier", "unique_texts", "ambiguous_date"
]
_SEVERITY: dict[Kind, Severity] = {
    "empty_column": "warning",
    "constant_column": "note",
    "row_number": "warning",
    "identifier": "warning",
    "unique_texts": "note",
    "ambiguous_date": "warning",
}
# Of a column of these kinds nothing else is worth telling.
TELLS_NOTHING = frozenset({"empty_column", "constant_column", "row_number", "identifier"})


@dataclass(frozen=True)
class UnusedColumn:
    """Why nothing can be learned from a column."""

    kind: Kind
    reason: str


def unused_columns(features: Features) -> dict[str, str]:
    """The columns that a model is better off without, each with the reason.

    If none would be left, all are kept.
    """
    numbers = ColumnsByName(features.names, features.numbers)
    found = find_unused(numbers, features.categories, len(features))
    left = len(features.names) + len(features.categories) - len(found)
    return {name: column.reason for name, column in found.items()} if left else {}


def unused_suspicions(rows: ProfiledRows) -> Iterator[Suspicion]:
    """A suspicion for each column from which nothing can be learned."""
    for name, column in find_unused(rows.numbers, rows.texts, rows.total).items():
        remedy = ignore(rows, name)
        if column.kind == "ambiguous_date":
            remedy = transform("datetime", [name], ", format: '%d/%m/%Y'")
        elif column.kind == "unique_texts":
            remedy += f"; for free text {transform('hash_words', [name])}"
        yield Suspicion(
            column.kind,
            _SEVERITY[column.kind],
            f"column {name!r}: {column.reason}",
            remedy,
            (name,),
        )


def find_unused(
    numbers: Mapping[str, np.ndarray], texts: Mapping[str, Category], total: int
) -> dict[str, UnusedColumn]:
    """The columns of which nothing can be learned.

    Args:
        numbers: Columns (n,) by name, NaN where missing.
        texts: Columns of texts by name.
        total: The number of rows; more than n where the columns are a sample.
    """
    found = {name: _of_numbers(name, x, total) for name, x in numbers.items()}
    found |= {name: _of_texts(column) for name, column in texts.items()}
    return {name: column for name, column in found.items() if column is not None}


def _of_numbers(name: str, x: np.ndarray, total: int) -> UnusedColumn | None:
    present = x[~np.isnan(x)]
    if not present.size:
        return UnusedColumn("empty_column", "no values")
    if present.size == x.size and present.min() == present.max():
        return UnusedColumn("constant_column", f"always {present[0]:g}")
    if x.size < _FEWEST or present.size < x.size or not (x == np.floor(x)).all():
        return None
    if _counts_up(x):
        return UnusedColumn("row_number", "numbers the rows")
    values = np.unique(x)
    if len(values) < len(x):
        return None
    if _numbers_rows(values, total):
        return UnusedColumn("row_number", "numbers the rows")
    if _ID_CASED.search(name) or _ID.search(name):
        return UnusedColumn("identifier", "a different number in every row: an identifier")
    return None


def _counts_up(x: np.ndarray) -> bool:
    """Whether nearly all numbers are one more than that of the row before, from 0 or 1 on."""
    return bool(x.min() in (0, 1) and (np.diff(x) == 1).mean() > _COUNTED and x[0] == x.min())


def _numbers_rows(values: np.ndarray, total: int) -> bool:
    """Whether ascending whole numbers count from 0 or 1 to the number of rows."""
    if len(values) == total:
        return bool(values[0] in (0, 1) and values[-1] - values[0] == total - 1)
    return bool(values[0] >= 0 and _SAMPLED_RANGE * total < values[-1] - values[0] < total)


def _of_texts(column: Category) -> UnusedColumn | None:
    texts = [column.values[code] for code in np.unique(column.codes[column.codes != MISSING])]
    if not texts:
        return UnusedColumn("empty_column", "no values")
    if len(texts) == 1 and (column.codes != MISSING).all():
        return UnusedColumn("constant_column", f"always {texts[0]!r}")
    kind = kind_of_texts(column)
    if kind == "unique":
        return UnusedColumn(
            "unique_texts",
            f"{len(texts):,} different texts in {len(column.codes):,} rows: names or free text",
        )
    if kind == "date":
        try:
            date_format(texts)
        except AmbiguousDate as error:
            return UnusedColumn(
                "ambiguous_date",
                f"dates that may be {error}; the transform datetime takes the format",
            )
    return None
