"""The transforms that a dataset gets when its config names none."""

from collections.abc import Iterable, Sequence

import numpy as np

from nettrain.component import to_mapping
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.images import largest_pixel
from nettrain.data.readers.date_text import AmbiguousDate, date_format
from nettrain.data.readers.number_text import formatted_numbers
from nettrain.data.rows.base import LazyRows
from nettrain.data.rows.columns import has_gaps
from nettrain.data.rows.stored import StoredRows
from nettrain.data.task import MOST_CLASSES
from nettrain.data.transform import Transform
from nettrain.errors import DataError

MOST_INDICATORS = 50  # categories of a column that become an input each


def automatic_transforms(
    train: Features,
    parts: Iterable[Features],
    *,
    has_target: bool = True,
    of_numbers: Sequence[Transform] | None = None,
    of_categories: Sequence[Transform] | None = None,
) -> tuple[Transform, ...]:
    """The transforms that the data needs.

    For tables datetime for dates, drop for texts that hardly repeat, target_statistics for columns
    of very many categories, impute where numbers or dates are missing in any part, standardize; for
    pixels scale to [0, 1]; one_hot for other texts, last, so that its indicators stay 0 and 1.

    Args:
        train: The training rows.
        parts: The rows of all parts.
        has_target: Whether there is one that categories can be encoded by.
        of_numbers: Those of a table's numbers in place of impute and standardize.
        of_categories: Those of categories in place of one_hot.

    Raises:
        DataError: A column that one of them would name has no name.
    """
    parts = list(parts)
    kinds = {name: kind_of_texts(column) for name, column in train.categories.items()}
    dates = [name for name, kind in kinds.items() if kind == "date"]
    unique = [name for name, kind in kinds.items() if kind == "unique"]
    many = [
        name
        for name, kind in kinds.items()
        if has_target
        and kind == "category"
        and len(_used(train.categories[name])) > MOST_INDICATORS
    ]
    if "" in (*dates, *unique, *many):
        values = ", ".join(map(repr, train.categories[""].values[:3]))
        raise DataError(
            f"the column of {values} ... has no name, by which a transform could take it: name it"
        )
    chosen: list[object] = []
    if dates:
        chosen.append({"type": "datetime", "columns": dates})
    if unique:
        chosen.append({"type": "drop", "columns": unique})
    if many:
        chosen.append({"type": "target_statistics", "columns": many})
    gaps = any(_has_gaps(part, dates) for part in parts)
    if train.numbers.ndim > 2:
        chosen += (["impute"] if gaps else []) + _of_pixels(train)
    elif of_numbers is not None:
        chosen += map(to_mapping, of_numbers)
    else:
        has_numbers = train.numbers.shape[1] or dates or many
        chosen += (["impute"] if gaps else []) + (["standardize"] if has_numbers else [])
    if len(dates) + len(unique) + len(many) < len(train.categories):
        chosen += ["one_hot"] if of_categories is None else map(to_mapping, of_categories)
    return tuple(Transform.parse(item) for item in chosen)


def _of_pixels(train: Features) -> list[object]:
    """The transform that brings pixels near [0, 1]; none for those that are."""
    largest = largest_pixel(train.numbers)
    if train.numbers.dtype != np.uint8:
        return ["standardize"] if largest > 1 else []
    # Pictures with a small range of their own (digits: ink counts up to 16) are spread by it.
    divisor = 255 if largest > 127 else max(int(largest), 1)
    return [{"type": "scale", "divide_by": float(divisor)}]


def notes_on_unique_columns(train: Features, transforms: Iterable[Transform]) -> list[str]:
    """A sentence for each column of texts that hardly repeat: an ID, or free text."""
    dropped = {name for one in transforms if one.name() == "drop" for name in vars(one)["columns"]}
    return [
        f"column {name!r} has {distinct:,} distinct values in {len(train):,} training rows"
        + (" and is left out" if name in dropped else "")
        + "; if it is an ID, list it under the source's `ignore`; words of free text become inputs "
        "by the transform hash_words"
        for name, column in train.categories.items()
        if kind_of_texts(column) == "unique" and (distinct := len(_present(column)))
    ]


def kind_of_texts(column: Category) -> str:
    """What a column of texts holds: date, unique (its values hardly repeat), or category.

    Where day and month cannot be told apart it is a date too: `datetime` then asks.
    """
    texts = _present(column)
    try:
        if date_format(texts) is not None:
            return "date"
    except AmbiguousDate:
        return "date"
    hardly_repeats = len(texts) > max(MOST_CLASSES, len(column.codes) // 2)
    return "unique" if hardly_repeats and formatted_numbers(column) is None else "category"


def _present(column: Category) -> list[str]:
    return [column.values[code] for code in _used(column)]


def _used(column: Category) -> np.ndarray:
    """The codes that occur."""
    found: np.ndarray = np.unique(column.codes[column.codes != MISSING])
    return found


def _has_gaps(part: Features, dates: list[str]) -> bool:
    """Whether numbers are missing, or dates, which become numbers."""
    if any((part.categories[name].codes == MISSING).any() for name in dates):
        return True
    numbers: np.ndarray | LazyRows = part.numbers
    if numbers.dtype.kind != "f":
        return False
    return numbers.has_gaps() if isinstance(numbers, StoredRows) else has_gaps(numbers)
