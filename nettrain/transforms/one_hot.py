"""One-hot encoding of categorical columns."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count
from nettrain.data.features import Category, Features
from nettrain.data.readers.number_text import formatted_numbers
from nettrain.data.transform import Columns, State, Transform
from nettrain.data.unseen import warn_of_unseen
from nettrain.errors import DataError
from nettrain.transforms._categories import chosen_columns, learned_values, present_values


@dataclass(frozen=True, kw_only=True)
class OneHot(Transform):
    """One-hot encoding. y_v = 1 where the cell is v, else 0; one column per training value v.

    Numbers (n, d) -> (n, d + values); the new columns are named `sex=male`. A missing cell is
    encoded as zeros, and so is a category not seen in training, with one warning that counts the
    rows. scikit-learn: OneHotEncoder(handle_unknown="ignore").

    With `max_size`, columns of more values are left to the transforms behind this one:
    `[{type: one_hot, max_size: 9}, ordinal]`. Without, a column with more than `most_values` values
    is an error. CatBoost: one_hot_max_size; RealMLP's 9 counts missing cells as a value.
    """

    by_chunks = True

    columns: Columns = None
    most_values: Annotated[
        Count, Field(description="maximum number of distinct values per column")
    ] = 1000
    max_size: Annotated[
        Count | None,
        Field(description="columns of more distinct values are left alone; null: none is"),
    ] = None

    def fit(self, features: Features) -> State:
        """Learns the columns, and the values of each that occur, sorted."""
        encoded: list[str] = []
        state: State = {"columns": encoded}
        for name in chosen_columns(self.columns, features, self.name()):
            column = features.categories[name]
            present = present_values(column)
            if self.max_size is not None and len(present) > self.max_size:
                continue
            encoded.append(name)
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
            state[f"values:{name}"] = present
        return state

    def apply(self, features: Features, state: State) -> Features:
        """Appends the indicators of the chosen columns to the numbers."""
        learned = learned_values(state)
        if not learned:
            return features
        made = [f"{name}={value}" for name, values in learned.items() for value in values]
        names = (*features.names, *made)
        numbers = np.zeros((len(features), len(names)))
        first = len(features.names)
        numbers[:, :first] = features.array
        for name, values in learned.items():
            _mark(numbers[:, first : first + len(values)], features.categories[name], values)
            first += len(values)
        warn_of_unseen(features, learned, "are encoded as zeros")
        rest = {name: column for name, column in features.categories.items() if name not in learned}
        return replace(
            features,
            numbers=numbers,
            names=names,
            categories=rest,
            indicators=features.indicators.union(made),
        )


def _mark(indicators: np.ndarray, column: Category, values: list[str]) -> None:
    """Sets the 1 of each row whose value is among `values`."""
    places = column.places(values)
    rows = np.flatnonzero(places < len(values))
    indicators[rows, places[rows]] = 1
