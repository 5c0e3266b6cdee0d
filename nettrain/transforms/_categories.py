"""What transforms of categories learn: the columns, and the values that each had in training."""

import numpy as np

from nettrain.data.features import MISSING, Category, Features
from nettrain.data.transform import Columns, State, check_columns


def chosen_columns(columns: Columns, features: Features, transform: str) -> list[str]:
    """The columns of categories that a transform changes: those it names, or all.

    Raises:
        ConfigError: One is not there.
    """
    check_columns(columns, tuple(features.categories), transform)
    return list(features.categories) if columns is None else list(columns)


def present_values(column: Category) -> list[str]:
    """The values that occur, sorted."""
    return sorted(column.values[code] for code in np.unique(column.codes[column.codes != MISSING]))


def learned_values(state: State) -> dict[str, list[str]]:
    """The values of each column that training had, in the order of their places."""
    return {
        str(name): [str(value) for value in state[f"values:{name}"]] for name in state["columns"]
    }
