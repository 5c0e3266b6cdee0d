"""Missing values: marks that were not taken for one, and columns that hold little else."""

from collections.abc import Iterator

import numpy as np

from nettrain.data.features import MISSING, Category
from nettrain.data.readers.number_text import looks_missing
from nettrain.inspection.data_profile.profiled_rows import ProfiledRows
from nettrain.inspection.data_profile.remedies import ignore, override, transform
from nettrain.inspection.data_profile.suspicion import Suspicion
from nettrain.inspection.data_profile.wording import quoted, share

_NINES = {float("9" * digits) for digits in range(2, 8)}
_MARKS = frozenset({
    *_NINES, *(-mark for mark in _NINES), *(mark + 0.9 for mark in _NINES),
    *(-mark - 0.9 for mark in _NINES), -200.0, -32768.0, 32767.0, -1e20, 1e20, -1e30, 1e30
})  # fmt: skip
_FEWEST_MARKS = 2  # cells: a single one may be an outlier
_FEWEST_OTHERS = 10  # distinct numbers beside the mark
_MOSTLY = 0.5  # of the cells
_WORDS = frozenset({"none", "unknown", "missing", "not available", "nil", "na"})  # may be meant


def missing_suspicions(rows: ProfiledRows) -> Iterator[Suspicion]:
    """Numbers and texts that look like marks of missing values, and mostly empty columns."""
    for name, x in rows.numbers.items():
        if "drop" in rows.transforms_of(name):
            continue
        for mark in marks_apart(x):
            yield _numeric_mark(rows, name, x, mark)
        yield from _mostly_missing(rows, name, np.isnan(x))
    for name, column in rows.texts.items():
        if "drop" in rows.transforms_of(name):
            continue
        yield from _marks_in_texts(rows, name, column)
        yield from _mostly_missing(rows, name, column.codes == MISSING)


def marks_apart(x: np.ndarray) -> list[float]:
    """Numbers that are written for a missing value: -999, -200, 9999, apart from all others.

    They repeat, are the smallest or largest, and stand further from the next number than the middle
    98 % of the others spread.
    """
    present = x[~np.isnan(x)]
    found = []
    values, counts = np.unique(present, return_counts=True)
    while len(values) > _FEWEST_OTHERS:
        for end, inner in ((0, 1), (-1, -2)):
            others = np.delete(np.arange(len(values)), end)
            is_mark = values[end] in _MARKS and counts[end] >= _FEWEST_MARKS
            if not is_mark:
                continue
            low, high = np.quantile(np.repeat(values[others], counts[others]), (0.01, 0.99))
            if abs(values[end] - values[inner]) > high - low:
                found.append(float(values[end]))
                values, counts = values[others], counts[others]
                break
        else:
            break
    return found


def _numeric_mark(rows: ProfiledRows, name: str, x: np.ndarray, mark: float) -> Suspicion:
    where = np.flatnonzero(x == mark)
    others = x[~np.isnan(x) & ~np.isin(x, marks_apart(x))]
    return Suspicion(
        "missing_mark",
        "warning",
        f"column {name!r}: {mark:g} stands in {share(len(where), len(x))}, apart from the other "
        f"numbers ({others.min():g} to {others.max():g}), as if it marked missing values",
        override(rows, name, missing=[f"{mark:g}"]),
        (name,),
        rows.lines(where),
        (f"{mark:g}",),
    )


def _marks_in_texts(rows: ProfiledRows, name: str, column: Category) -> Iterator[Suspicion]:
    marks = [text for text in column.values if looks_missing(text)]
    if not marks or len(marks) == len(column.values):
        return
    where = np.flatnonzero(np.isin(column.codes, [column.values.index(text) for text in marks]))
    only_words = all(text.strip().lower() in _WORDS for text in marks)
    yield Suspicion(
        "missing_text",
        "note" if only_words else "warning",
        f"column {name!r}: {quoted(marks)} in {share(len(where), len(column.codes))} is read as a "
        "category, and may mark missing values",
        override(rows, name, missing=marks),
        (name,),
        rows.lines(where),
        tuple(marks),
    )


def _mostly_missing(rows: ProfiledRows, name: str, missing: np.ndarray) -> Iterator[Suspicion]:
    count = int(missing.sum())
    if _MOSTLY * len(missing) < count < len(missing):
        yield Suspicion(
            "mostly_missing",
            "note",
            f"column {name!r}: no value in {share(count, len(missing))}",
            f"{ignore(rows, name)}, or {transform('impute', [name], ', flag: true')}",
            (name,),
            rows.lines(np.flatnonzero(missing)),
        )
