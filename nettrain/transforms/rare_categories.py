"""Rare categories merged into one."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count, Text
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.transform import Columns, State, Transform
from nettrain.transforms._categories import chosen_columns, learned_values


@dataclass(frozen=True, kw_only=True)
class RareCategories(Transform):
    """Merges rare categories. y = x where x has at least `min_count` training rows, else `merged`.

    In new rows a category that was rare or never seen in training becomes `merged` too, without a
    warning. So where any was rare, one_hot and target_statistics have learned from the rare ones
    what to make of new ones; where none was, `merged` is to them a category not seen in training. A
    missing cell stays missing. scikit-learn:
    OneHotEncoder(min_frequency=, handle_unknown="infrequent_if_exist").
    """

    by_chunks = True

    min_count: Annotated[
        Count, Field(description="categories with fewer training rows are merged")
    ] = 10
    merged: Annotated[Text, Field(description="name of the category that they become")] = "other"
    columns: Columns = None

    def fit(self, features: Features) -> State:
        """Learns the columns, and the values of each that are kept, sorted."""
        names = chosen_columns(self.columns, features, self.name())
        state: State = {"columns": names}
        for name in names:
            column = features.categories[name]
            counts = np.bincount(column.codes[column.codes != MISSING])
            kept = np.flatnonzero(counts >= self.min_count)
            state[f"values:{name}"] = sorted(column.values[code] for code in kept)
        return state

    def apply(self, features: Features, state: State) -> Features:
        """Renames the categories that are not kept."""
        categories = dict(features.categories)
        for name, kept in learned_values(state).items():
            categories[name] = self._merged(categories[name], kept)
        return replace(features, categories=categories)

    def _merged(self, column: Category, kept: list[str]) -> Category:
        values = [*kept] if self.merged in kept else [*kept, self.merged]
        positions = {value: position for position, value in enumerate(values)}
        merged = positions[self.merged]
        # a missing code, -1, finds the last position
        lookup = np.array([*(positions.get(value, merged) for value in column.values), MISSING])
        return Category(lookup[column.codes], tuple(values))
