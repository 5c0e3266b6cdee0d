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

    columns: Columns = None
    most_values: Annotated[Count, Field(description="values a column may have; more is rather a name than a category")] = 1000

    def fit(self, features: Features) -> State:
        """The columns, and the values of each that occur, sorted."""
        check_columns(self.columns, tuple(features.categories), self.name())
        names = list(features.categories) if self.columns is None else list(self.columns)
        state: State = {"columns": names}
        for name in names:
            column = features.categories[name]
            present = np.unique(column.codes[column.codes != MISSING])
            if len(present) > self.most_values:
                raise DataError(f"column {name!r} holds {len(present)} different texts; leave it out (`ignore`) if it names rows, "
                                f"or raise one_hot.most_values above {self.most_values}")
            state[f"values:{name}"] = sorted(column.values[code] for code in present)
        return state

    def apply(self, features: Features, state: State) -> Features:
        """The chosen columns as indicators behind the numbers."""
        if not state["columns"]:
            return features
        rest = {name: column for name, column in features.categories.items() if name not in state["columns"]}
        blocks, names, strangers = [features.numbers.astype(np.float64)], list(features.names), []
        for name in map(str, state["columns"]):
            values = [str(value) for value in state[f"values:{name}"]]
            indicators, unseen = _indicators(features.categories[name], values)
            blocks.append(indicators)
            names += [f"{name}={value}" for value in values]
            strangers += [f"{name} {value!r} ({count} rows)" for value, count in unseen.items()]
        if strangers:
            more = f" and {len(strangers) - 5} more" if len(strangers) > 5 else ""
            _LOG.warning("values that training did not have become zeros: %s%s", ", ".join(strangers[:5]), more)
        return Features(np.concatenate(blocks, axis=1), tuple(names), rest)


def _indicators(column: Category, values: list[str]) -> tuple[np.ndarray, dict[str, int]]:
    """(n, v) of 0 and 1, and how many rows hold each value that is not among `values`."""
    places = {value: place for place, value in enumerate(values)}
    lookup = np.array([places.get(value, len(values)) for value in column.values] + [len(values)])   # MISSING is -1: the last place
    indicators = np.eye(len(values) + 1, len(values))[lookup[column.codes]]
    counts = np.bincount(column.codes[column.codes != MISSING], minlength=len(column.values))
    unseen = {value: int(count) for value, count in zip(column.values, counts, strict=True) if count and value not in places}
    return indicators, unseen
