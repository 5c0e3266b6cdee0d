"""One-hot encoding of categorical columns."""

import logging
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.readers.number_text import formatted_numbers
from nettrain.data.transform import Columns, State, Transform, check_columns
from nettrain.errors import DataError

_LOG = logging.getLogger(__name__)
_NAMED = 2  # unseen categories that a warning names


@dataclass(frozen=True, kw_only=True)
class OneHot(Transform):
    """One-hot encoding. y_v = 1 where the cell is v, else 0; one column per training value v.

    Numbers (n, d) -> (n, d + values); the new columns are named `sex=male`. A missing cell is
    encoded as zeros, and so is a category not seen in training, with one warning that counts the
    rows. An error for a column with more than `most_values` values. scikit-learn:
    OneHotEncoder(handle_unknown="ignore").
    """

    by_chunks = True

    columns: Columns = None
    most_values: Annotated[
        Count, Field(description="maximum number of distinct values per column")
    ] = 1000

    def fit(self, features: Features) -> State:
        """Learns the columns, and the values of each that occur, sorted."""
        check_columns(self.columns, tuple(features.categories), self.name())
        names = list(features.categories) if self.columns is None else list(self.columns)
        state: State = {"columns": names}
        for name in names:
            column = features.categories[name]
            present = np.unique(column.codes[column.codes != MISSING])
            if len(present) > self.most_values:
                formatted = formatted_numbers(column)
                remedy = (
                    "leave it out (`ignore`) if it is an ID, or raise one_hot.most_values above "
                    f"{self.most_values}"
                    if formatted is None
                    else f"they look like numbers with {formatted[0]} ({formatted[1]!r}): write "
                    "them as plain numbers, such as 1234.5"
                )
                raise DataError(f"column {name!r} has {len(present):,} distinct values; {remedy}")
            state[f"values:{name}"] = sorted(column.values[code] for code in present)
        return state

    def apply(self, features: Features, state: State) -> Features:
        """Appends the indicators of the chosen columns to the numbers."""
        learned = {
            str(name): [str(value) for value in state[f"values:{name}"]]
            for name in state["columns"]
        }
        if not learned:
            return features
        names = (
            *features.names,
            *(f"{name}={value}" for name, values in learned.items() for value in values),
        )
        numbers = np.zeros((len(features), len(names)))
        first = len(features.names)
        numbers[:, :first] = features.array
        for name, values in learned.items():
            _mark(numbers[:, first : first + len(values)], features.categories[name], values)
            first += len(values)
        _warn_of_unseen(features, learned)
        rest = {name: column for name, column in features.categories.items() if name not in learned}
        return Features(numbers, names, rest)


def _mark(indicators: np.ndarray, column: Category, values: list[str]) -> None:
    """Sets the 1 of each row whose value is among `values`."""
    positions = {value: position for position, value in enumerate(values)}
    # a missing code, -1, finds the last position
    lookup = np.array([*(positions.get(value, MISSING) for value in column.values), MISSING])
    position = lookup[column.codes]
    rows = np.flatnonzero(position != MISSING)
    indicators[rows, position[rows]] = 1


def _warn_of_unseen(features: Features, learned: dict[str, list[str]]) -> None:
    unseen = []
    for name, values in learned.items():
        column = features.categories[name]
        counts = np.bincount(column.codes[column.codes != MISSING], minlength=len(column.values))
        unseen += [
            f"{name} {column.values[code]!r} ({_rows(int(counts[code]))})"
            for code in np.flatnonzero(counts)
            if column.values[code] not in values
        ]
    if unseen:
        more = f" and {len(unseen) - _NAMED} more" if len(unseen) > _NAMED else ""
        _LOG.warning(
            "categories not seen in training are encoded as zeros: %s%s",
            ", ".join(unseen[:_NAMED]),
            more,
        )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
