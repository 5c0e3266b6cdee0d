"""Columns that tell the same: copies, linear functions, and categories that stand together."""

from collections.abc import Iterator

import numpy as np

from nettrain.data.features import Category
from nettrain.inspection.data_profile.profiled_rows import ProfiledRows
from nettrain.inspection.data_profile.remedies import ignore
from nettrain.inspection.data_profile.suspicion import Suspicion

_COMPARED_ROWS = 1000
_MOST_COLUMNS = 1000
_EXACT = 1e-9  # of the deviation: by rounding alone
_FEWEST = 10


def repeated_column_suspicions(rows: ProfiledRows) -> Iterator[Suspicion]:
    """A suspicion for each column that an earlier one determines."""
    if len(rows) < _FEWEST:
        return
    said: set[str] = set()
    for first, second, factor, offset in linear_pairs(rows.numbers):
        if second in said:
            continue
        said.add(second)
        times = "" if factor == 1 else f"{factor:.6g} * "
        equation = f"{times}{first!r}" + (f" + {offset:.6g}" if offset else "")
        is_copy = factor == 1 and offset == 0
        yield Suspicion(
            "repeated_column",
            "warning",
            f"column {second!r}: is {'a copy of ' + repr(first) if is_copy else equation}",
            ignore(rows, second),
            (first, second),
        )
    for first, second in same_partitions(rows):
        if second in said:
            continue
        said.add(second)
        yield Suspicion(
            "repeated_column",
            "note",
            f"column {second!r}: each of its values stands with one value of {first!r}",
            ignore(rows, second),
            (first, second),
        )


def linear_pairs(numbers: dict[str, np.ndarray]) -> list[tuple[str, str, float, float]]:
    """(first, second, a, b) where second = a first + b in every row; a copy has a = 1, b = 0.

    Columns with a single value have no place here, nor pairs with gaps in different rows.
    """
    names = [name for name, x in numbers.items() if len(np.unique(x[~np.isnan(x)])) > 1]
    names = names[:_MOST_COLUMNS]
    if len(names) < 2:
        return []
    rows = len(numbers[names[0]])
    step = -(-rows // _COMPARED_ROWS)
    x = np.stack([numbers[name][::step] for name in names], axis=1)
    gaps = np.isnan(x)
    centre = np.where(gaps, 0.0, x).sum(axis=0) / np.maximum((~gaps).sum(axis=0), 1)
    z = np.where(gaps, 0.0, x - centre)
    length = np.sqrt((z * z).sum(axis=0))
    z /= np.where(length > 0, length, 1)
    alike = np.argwhere(np.triu(np.abs(z.T @ z) > 1 - 1e-6, 1))
    found = []
    for i, j in alike:
        one, other = numbers[names[i]], numbers[names[j]]
        line = _line(one, other)
        if line is not None:
            found.append((names[i], names[j], *line))
    return found


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float] | None:
    both = ~np.isnan(x)
    if (both != ~np.isnan(y)).any() or both.sum() < _FEWEST:
        return None
    if np.array_equal(x[both], y[both]):
        return 1.0, 0.0
    x, y = x[both], y[both]
    centred = x - x.mean()
    a = float(centred @ (y - y.mean()) / (centred @ centred))
    b = float(y.mean() - a * x.mean())
    b = 0.0 if abs(b) <= _EXACT * np.abs(y).max() else b
    error = np.abs(y - (a * x + b)).max()
    return (
        (a, b) if error <= _EXACT * max(float(y.std()), _EXACT * float(np.abs(y).max())) else None
    )


def same_partitions(rows: ProfiledRows) -> list[tuple[str, str]]:
    """Pairs of columns that divide the rows into the same groups, such as a name and its number.

    Columns in which most values stand once are left out: they divide rows alike by chance.
    """
    groups: dict[bytes, str] = {}
    found = []
    for name in rows.columns:
        labels = partition(rows.numbers[name] if name in rows.numbers else rows.texts[name])
        if labels is None:
            continue
        key = labels.tobytes()
        if key in groups:
            found.append((groups[key], name))
        groups.setdefault(key, name)
    return found


def partition(column: np.ndarray | Category) -> np.ndarray | None:
    """The number of the group (n,) of each row, in the order of their first appearance.

    None where there is one group, or there are more than a fifth as many as rows.
    """
    if isinstance(column, Category):
        codes = column.codes.astype(np.int64)
    else:
        codes = np.unique(column, return_inverse=True)[1].astype(np.int64)
    distinct, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    if not 2 <= len(distinct) <= len(codes) // 5:
        return None
    order = np.empty(len(distinct), np.int64)
    order[np.argsort(first)] = np.arange(len(distinct))
    return order[inverse]
