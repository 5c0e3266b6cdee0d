"""Each column as it was understood: its type, its values, and how many inputs it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nettrain.data.automatic import kind_of_texts
from nettrain.data.features import MISSING, Category
from nettrain.data.pipeline import Pipeline
from nettrain.data.target import Target
from nettrain.inspection.data_profile.profiled_rows import ProfiledRows

Role = Literal["feature", "target", "part", "group", "time", "ignored"]
_EXAMPLES = 3
_SEPARATORS = "=.#_:["  # between a column and what a transform makes of it: color=red, sold.year


@dataclass(frozen=True)
class ColumnSummary:
    """One column.

    Attributes:
        name: Of the column; of images, the source's.
        role: What it is used for.
        type: number, category, date, text, classes, labels or image.
        missing: Cells without a value.
        distinct: Distinct values; of images, distinct images.
        low: The smallest number, or the smallest pixel; None for texts.
        high: The largest.
        examples: The most frequent texts.
        inputs: Of the network, made of it; None where that is not known yet, or it is no feature.
    """

    name: str
    role: Role
    type: str
    missing: int
    distinct: int
    low: float | None = None
    high: float | None = None
    examples: tuple[str, ...] = ()
    inputs: int | None = None


def summarize_columns(rows: ProfiledRows, pipeline: Pipeline | None) -> list[ColumnSummary]:
    """The target, the features, the columns that divide the rows.

    Args:
        rows: What is summarized.
        pipeline: Fitted to the training rows, which tells the inputs; None: they are not known.
    """
    found = [] if rows.target is None else _of_target(rows.target)
    if rows.images is not None:
        return [*found, _of_images(rows, pipeline)]
    inputs = None if pipeline is None else count_inputs(rows.columns, pipeline.names)
    for name, x in rows.numbers.items():
        found.append(_of_numbers(name, x, None if inputs is None else inputs[name]))
    for name, column in rows.texts.items():
        kind = {"unique": "text"}.get(made := kind_of_texts(column), made)
        found.append(
            _of_texts(name, "feature", kind, column, None if inputs is None else inputs[name])
        )
    for name, column in rows.extra.items():
        found.append(_of_texts(name, _role(rows, name), "category", column, None))
    return found


def _role(rows: ProfiledRows, name: str) -> Role:
    """Of a column that is no feature."""
    return next((kind for kind, column in rows.divided_by.items() if column == name), "ignored")


def count_inputs(columns: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """How many of the network's inputs each column became.

    An input is named as its column, or begins with its name: color=red, sold.year, age_missing.

    Args:
        columns: The raw columns.
        names: Of the inputs.
    """
    counts = dict.fromkeys(columns, 0)
    longest = sorted(columns, key=len, reverse=True)
    for name in names:
        column = name if name in counts else next((c for c in longest if _begins(name, c)), None)
        if column is not None:
            counts[column] += 1
    return counts


def _begins(name: str, column: str) -> bool:
    return name.startswith(column) and name[len(column) : len(column) + 1] in tuple(_SEPARATORS)


def _of_numbers(name: str, x: np.ndarray, inputs: int | None) -> ColumnSummary:
    present = x[~np.isnan(x)]
    low, high = (float(present.min()), float(present.max())) if present.size else (None, None)
    missing, distinct = len(x) - len(present), len(np.unique(present))
    return ColumnSummary(
        name, "feature", "number", missing, distinct, low=low, high=high, inputs=inputs
    )


def _of_texts(
    name: str, role: Role, kind: str, column: Category, inputs: int | None
) -> ColumnSummary:
    present = column.codes[column.codes != MISSING]
    counts = np.bincount(present, minlength=len(column.values))
    frequent = np.argsort(-counts, kind="stable")[:_EXAMPLES]
    examples = tuple(column.values[code] for code in frequent if counts[code])
    missing = len(column.codes) - len(present)
    return ColumnSummary(
        name, role, kind, missing, int((counts > 0).sum()), examples=examples, inputs=inputs
    )


def _of_target(target: Target) -> list[ColumnSummary]:
    if target.classes is not None:
        column = Category(target.values, target.classes)
        return [_of_texts(", ".join(target.names), "target", "classes", column, None)]
    found = []
    for name, x in zip(target.names, target.values.T, strict=True):
        binary = len(target.names) > 1 and bool(((x == 0) | (x == 1)).all())
        found.append(
            ColumnSummary(
                name,
                "target",
                "label" if binary else "number",
                int(np.isnan(x).sum()),
                len(np.unique(x)),
                low=float(np.nanmin(x)),
                high=float(np.nanmax(x)),
            )
        )
    return found


def _of_images(rows: ProfiledRows, pipeline: Pipeline | None) -> ColumnSummary:
    x = rows.images
    if x is None:
        raise ValueError("a table has no images")
    size = " x ".join(map(str, x.shape[1:]))
    return ColumnSummary(
        f"{size} {x.dtype}",
        "feature",
        "image",
        int(np.isnan(x).sum()) if x.dtype.kind == "f" else 0,
        len({image.tobytes() for image in x}),
        low=float(np.nanmin(x)),
        high=float(np.nanmax(x)),
        inputs=None if pipeline is None else int(np.prod(pipeline.shape)),
    )
