"""Categorical columns as numbers: one column a value."""

import logging
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.transform import Columns, State, Transform, check_columns
from nettrain.errors import DataError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class OneHot(Transform):
    """y_v = 1 where the cell is v, otherwise 0, for every value v of the training rows.

    Numbers (n, d) -> (n, d + values); the new columns are named `sex=male`. A missing cell is zeros everywhere, and so is a value that
    training did not have, which is counted in one warning. As scikit-learn's OneHotEncoder(handle_unknown="ignore").
    Raises DataError for a column with more than `most_values` values.
    """

    by_chunks = True

    columns: Columns = None
    most_values: Annotated[
        Count, Field(description="values a column may have; more is rather a name than a category")
    ] = 1000

    def fit(self, features: Features) -> State:
        """The columns, and the values of each that occur, sorted."""
        check_columns(self.columns, tuple(features.categories), self.name())
        names = list(features.categories) if self.columns is None else list(self.columns)
        state: State = {"columns": names}
        for name in names:
            column = features.categories[name]
            present = np.unique(column.codes[column.codes != MISSING])
            if len(present) > self.most_values:
                raise DataError(
                    f"column {name!r} holds {len(present)} different texts; leave it out (`ignore`) if it names rows, "
                    f"or raise one_hot.most_values above {self.most_values}"
                )
            state[f"values:{name}"] = sorted(column.values[code] for code in present)
        return state

    def apply(self, features: Features, state: State) -> Features:
        """The chosen columns as indicators behind the numbers."""
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
        _warn_of_strangers(features, learned)
        rest = {name: column for name, column in features.categories.items() if name not in learned}
        return Features(numbers, names, rest)


def _mark(indicators: np.ndarray, column: Category, values: list[str]) -> None:
    """Set the 1 of each row whose value is among `values`."""
    places = {value: place for place, value in enumerate(values)}
    lookup = np.array(
        [*(places.get(value, MISSING) for value in column.values), MISSING]
    )  # a missing code, -1, finds the last place
    place = lookup[column.codes]
    rows = np.flatnonzero(place != MISSING)
    indicators[rows, place[rows]] = 1


def _warn_of_strangers(features: Features, learned: dict[str, list[str]]) -> None:
    strangers = []
    for name, values in learned.items():
        column = features.categories[name]
        counts = np.bincount(column.codes[column.codes != MISSING], minlength=len(column.values))
        unseen = [code for code in np.flatnonzero(counts) if column.values[code] not in values]
        strangers += [f"{name} {column.values[code]!r} ({counts[code]} rows)" for code in unseen]
    if strangers:
        more = f" and {len(strangers) - 5} more" if len(strangers) > 5 else ""
        _LOG.warning(
            "values that training did not have become zeros: %s%s", ", ".join(strangers[:5]), more
        )
