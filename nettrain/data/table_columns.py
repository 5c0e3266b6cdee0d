"""Columns of a table as features, targets and weights."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nettrain.data.arrays import weights_from
from nettrain.data.dataset import Dataset
from nettrain.data.features import Category, Features
from nettrain.data.open_table import Column, OpenTable
from nettrain.data.stored_columns import ColumnRows, StoredCategory, StoredColumn
from nettrain.data.target import LabelType, Target
from nettrain.errors import DataError

# Numbers are copied a few columns and rows at a time, whose places in memory are neighbours: in a
# third of the time that columns take one by one.
_TOGETHER, _ROWS = 8, 4096


def features_of(columns: dict[str, Column], names: Sequence[str]) -> Features:
    """Numbers (n, d) and categories.

    Columns are removed once they are copied, so that a large file is in memory once. Columns on the
    disk stay there.
    """
    categories = {name: column for name in names if isinstance(column := columns[name], Category)}
    rest = [name for name in names if name not in categories]
    some = columns[names[0]]
    first = some.column if isinstance(some, StoredCategory) else some
    if isinstance(first, StoredColumn):
        stored = [one for name in rest if isinstance(one := columns[name], StoredColumn)]
        return Features(ColumnRows(stored, first), tuple(rest), categories)
    rows = len(first)
    numbers = np.empty((rows, len(rest)))
    for begin in range(0, len(rest), _TOGETHER):
        together = [np.asarray(columns.pop(name)) for name in rest[begin : begin + _TOGETHER]]
        for start in range(0, rows, _ROWS):
            part = slice(start, start + _ROWS)
            for place, column in enumerate(together, begin):
                numbers[part, place] = column[part]
    return Features(numbers, tuple(rest), categories)


def target_of(
    columns: dict[str, Column],
    names: Sequence[str],
    dataset: Dataset,
    table: OpenTable | None = None,
) -> Target:
    """Texts become classes, numbers stay. Raises DataError for texts in one of several targets."""
    hint = "".join(_marks_met(table, name) for name in names)
    for name in names:
        if isinstance(columns[name], Category) and len(names) > 1:
            raise DataError(
                f"{dataset.place(0)}: target {name!r} holds texts; several targets must be numbers"
            )
    first = columns[names[0]]
    if isinstance(first, Category):
        codes = first.codes.astype(np.int64)
        return Target(codes, tuple(names), first.values, missing_hint=hint)
    values = np.stack([np.asarray(columns[name]) for name in names], axis=1)
    booleans = table is not None and table.booleans.issuperset(names)
    label_type: LabelType | None = "boolean" if booleans else None
    return Target(values, tuple(names), label_type=label_type, missing_hint=hint)


def weighted(dataset: Dataset, columns: dict[str, Column], names: Sequence[str]) -> Dataset:
    """The dataset with the row weights of the named column, if one is named."""
    if not names:
        return dataset
    return replace(
        dataset,
        weights=weights_from(
            columns[names[0]], len(dataset), f"weights column {names[0]!r}", dataset.place
        ),
    )


def _marks_met(table: OpenTable | None, name: str) -> str:
    """That marks of missing values stand in a column, and how to make classes of them."""
    met = sorted(table.marks.get(name, ())) if table is not None else []
    if table is None or not met:
        return ""
    rest = [mark for mark in table.missing if mark not in met]
    return (
        f"{', '.join(map(repr, met))} counts as missing: if it is a class, set the source's "
        f"`missing: {rest}` without it; otherwise "
    )
