"""Rows divided by time: the earliest train, the latest test."""

import math

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.features import MISSING, Category
from nettrain.data.readers.date_text import AmbiguousDate, date_format, parse_date
from nettrain.errors import ConfigError, DataError


def times_of(dataset: Dataset, name: str, rows: np.ndarray) -> np.ndarray:
    """The times (n,) of some rows, as numbers that grow: seconds of dates, or numbers as they are.

    Args:
        dataset: All rows.
        name: An extra column of dates, times or numbers.
        rows: Of them.

    Raises:
        DataError: A cell is empty or holds another text, or day and month cannot be told apart.
    """
    column = dataset.extra_columns[name].take(rows)
    empty = np.flatnonzero(column.codes == MISSING)
    if empty.size:
        raise DataError(
            f"{dataset.place(int(rows[empty[0]]))}: the time {name!r} is missing; fill it in, or "
            "leave the row out"
        )
    found: np.ndarray = _values(dataset, name, column, rows)[column.codes]
    return found


def _values(dataset: Dataset, name: str, column: Category, rows: np.ndarray) -> np.ndarray:
    numbers = [_number(text) for text in column.values]
    used = np.unique(column.codes)
    if all(math.isfinite(numbers[code]) for code in used):
        return np.array(numbers)
    try:
        form = date_format([column.values[code] for code in used])
    except AmbiguousDate as error:
        raise DataError(
            f"dataset.split.time: {dataset.origin}: the dates of {name!r} may be {error}; write "
            "them as year-month-day"
        ) from None
    if form is None:
        wrong = next(code for code in used if not _is_time(column.values[code]))
        row = int(rows[np.flatnonzero(column.codes == wrong)[0]])
        raise DataError(
            f"{dataset.place(row)}: dataset.split.time: {column.values[wrong]!r} in column "
            f"{name!r} is no time in the form of the others; expected dates, all written the same "
            "way, or numbers"
        )
    seconds = np.zeros(len(column.values))
    for code in used:
        time = parse_date(column.values[code], form)
        if time is not None:
            seconds[code] = (time - type(time)(1970, 1, 1)).total_seconds()
    return seconds


def divide_by_time(times: np.ndarray, validation: float, test: float) -> dict[str, np.ndarray]:
    """Indices into the times of each part. Rows of one time stay in one part.

    Args:
        times: (n,).
        validation: Fraction of the rows; they come after the training rows.
        test: Fraction of the rows; they come last.

    Raises:
        ConfigError: There are too few different times for the parts.
    """
    order = np.argsort(times, kind="stable")
    changes = np.flatnonzero(np.diff(times[order])) + 1
    first_test = len(times) - round(test * len(times))
    first_validation = first_test - round(validation * len(times))
    cuts = {"validation": (validation, first_validation), "test": (test, first_test)}
    starts: list[int] = []
    asked = [part for part, (fraction, _) in cuts.items() if fraction]
    for index, part in enumerate(asked):
        after = changes[changes > (starts[-1] if starts else 0)]
        usable = after[: len(after) - (len(asked) - index - 1)]  # those after this need one each
        if not usable.size:
            raise ConfigError(
                f"dataset.split.time: the rows have {len(changes) + 1} different times, too few "
                f"for {len(asked) + 1} parts; leave out {' or '.join(asked)}, or name another "
                "column"
            )
        starts.append(int(usable[np.abs(usable - cuts[part][1]).argmin()]))
    ends = [*starts[1:], len(times)]
    divided = dict.fromkeys(cuts, order[:0])
    for part, start, end in zip(asked, starts, ends, strict=True):
        divided[part] = order[start:end]
    return divided | {"train": order[: starts[0]] if starts else order}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _is_time(text: str) -> bool:
    try:
        return date_format([text]) is not None
    except AmbiguousDate:
        return True
