"""Dates and times as numbers and cyclic parts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.component import Text
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.readers.date_text import AmbiguousDate, date_format, parse_date
from nettrain.data.transform import Columns, OutsideDomain, State, Transform, check_columns
from nettrain.errors import ConfigError, DataError

Part = Literal["year", "month", "weekday", "day", "hour", "elapsed"]
_SECONDS = 86400.0  # of a day
_EPOCH = datetime(1970, 1, 1)
_MONTH_DAYS = 30.4375


def _seconds(when: datetime) -> float:
    return when.hour * 3600 + when.minute * 60 + when.second + when.microsecond / 1e6


def _elapsed(when: datetime) -> float:
    return (when - _EPOCH).total_seconds() / _SECONDS


# The phase of a cyclic part, in turns: 0 at its beginning, 1 where it begins again.
_PHASES: dict[str, Callable[[datetime], float]] = {
    "month": lambda when: (when.month - 1 + (when.day - 1) / 31) / 12,
    "weekday": lambda when: when.weekday() / 7,
    "day": lambda when: (when.day - 1) / _MONTH_DAYS,
    "hour": lambda when: _seconds(when) / _SECONDS,
}
_VALUES: dict[str, Callable[[datetime], float]] = {
    "year": lambda when: float(when.year),
    "elapsed": _elapsed,
}


@dataclass(frozen=True, kw_only=True)
class Datetime(Transform):
    """Parts of dates and times: numbers, and sine and cosine of what comes round again.

    A text such as 2024-03-31 14:30 becomes year, elapsed (days since 1970-01-01), and for each of
    month, weekday, day and hour the pair sin(2 pi p), cos(2 pi p), with p from 0 at its beginning
    (January, Monday, the 1st, midnight) towards 1 at its end, so that December stands beside
    January. Parts that are equal in all training rows are left out. Numbers (n, d) ->
    (n, d + parts); the new columns are named `sold.year`, `sold.month_sin`. A missing cell makes
    its numbers missing (NaN).

    Raises:
        DataError: Day and month cannot be told apart (name the `format`), or a text is no date in
            the format of training.
    """

    columns: Columns = None
    format: Annotated[
        Text | None,
        Field(
            description="as Python's strptime writes it; null: the one that fits all texts",
            examples=["%d.%m.%Y"],
        ),
    ] = None
    by_chunks = True

    parts: Annotated[
        tuple[Part, ...] | None,
        Field(description="which parts; null: all that differ in the training rows"),
    ] = None

    def fit(self, features: Features) -> State:
        """Learns the columns of dates, the format of each, and the parts that differ."""
        check_columns(self.columns, tuple(features.categories), self.name())
        names = list(features.categories) if self.columns is None else list(self.columns)
        state: State = {"columns": [], "formats": []}
        for name in names:
            form = self._format(name, features.categories[name])
            if form is None:
                continue
            parts = self._parts(features.categories[name], form)
            state["columns"] = [*state["columns"], name]
            state["formats"] = [*state["formats"], form]
            state[f"parts:{name}"] = parts
        return state

    def apply(self, features: Features, state: State) -> Features:
        """Appends the parts of the columns of dates to the numbers."""
        names, blocks = list(features.names), [features.array]
        for name, form in zip(map(str, state["columns"]), map(str, state["formats"]), strict=True):
            dates = _dates(name, features.categories[name], form)
            for part in map(str, state[f"parts:{name}"]):
                numbers = _numbers(dates, part)
                ends = ("",) if part in _VALUES else ("_sin", "_cos")
                names += [f"{name}.{part}{end}" for end in ends]
                blocks.append(numbers[features.categories[name].codes])
        rest = {
            name: column
            for name, column in features.categories.items()
            if name not in state["columns"]
        }
        numbers = np.concatenate(blocks, axis=1)
        return replace(features, numbers=numbers, names=tuple(names), categories=rest)

    def _format(self, name: str, column: Category) -> str | None:
        texts = _present(column)
        try:
            form = self.format if self.format is not None else date_format(texts)
        except AmbiguousDate as error:
            raise DataError(
                f"column {name!r}: {texts[0]!r} may be {error}; say which: "
                f"{{type: datetime, columns: [{name}], format: '{error.formats[0]}'}} in "
                "`dataset.transforms`"
            ) from None
        if form is None and self.columns is not None:
            raise ConfigError(
                f"dataset.transforms: datetime.columns: {name!r} holds {texts[0]!r}, which is no "
                "date in a format that is known; name its `format`"
                if texts
                else f"dataset.transforms: datetime.columns: {name!r} has no value in any row"
            )
        return form

    def _parts(self, column: Category, form: str) -> list[str]:
        if self.parts is not None:
            return list(self.parts)
        found = [parse_date(text, form) for text in _present(column)]
        dates = [date for date in found if date is not None]
        differ = [
            part
            for part in ("year", "month", "day", "weekday", "hour")
            if len({(_VALUES | _PHASES)[part](date) for date in dates}) > 1
        ]
        return [*differ, "elapsed"] if len({date.date() for date in dates}) > 1 else differ


def _present(column: Category) -> list[str]:
    """The distinct texts that occur."""
    return [column.values[code] for code in np.unique(column.codes[column.codes != MISSING])]


def _dates(name: str, column: Category, form: str) -> list[datetime | None]:
    """The date of each of the column's texts.

    Raises:
        OutsideDomain: A text that occurs is no date.
    """
    dates = [parse_date(text, form) for text in column.values]
    for code in np.unique(column.codes[column.codes != MISSING]):
        if dates[code] is None:
            raise OutsideDomain(
                int(np.flatnonzero(column.codes == code)[0]),
                f"column {name!r}: expected a date as training had them ({form}), got "
                f"{column.values[code]!r}; correct it, or leave the cell empty",
            )
    return dates


def _numbers(dates: list[datetime | None], part: str) -> np.ndarray:
    """One part of each date (v + 1, 1 or 2); the last row is that of a missing cell, of code -1."""
    known = _VALUES.get(part) or _PHASES[part]
    numbers = np.array([*(np.nan if date is None else known(date) for date in dates), np.nan])
    if part in _VALUES:
        return numbers[:, None]
    angle = 2 * np.pi * numbers
    return np.stack([np.sin(angle), np.cos(angle)], axis=1)
