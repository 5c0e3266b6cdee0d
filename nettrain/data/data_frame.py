"""DataFrames of pandas, polars and pyarrow as columns of numbers and categories.

They are recognized by their interface, so that none of these libraries is needed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.data.cells import Column, column_of
from nettrain.data.features import Category, Features
from nettrain.data.target import LabelType, Target
from nettrain.errors import DataError, nearest

_CATEGORIES = ("category", "categorical", "enum", "dictionary")  # how such types' names begin


@dataclass(frozen=True)
class DataFrame:
    """Named columns in memory, whatever library holds them.

    Attributes:
        columns: By name: series with `to_numpy` and a type.
        origin: What it is, for messages: `x`.
    """

    columns: Mapping[str, Any]
    origin: str

    @classmethod
    def of(cls, value: object, origin: str) -> "DataFrame | None":
        """A DataFrame, or a series as one of one column; None for anything else.

        Raises:
            DataError: Two columns have the same name, or the frame is lazy.
        """
        if isinstance(value, DataFrame):
            return value
        if hasattr(value, "collect") and not hasattr(value, "to_numpy"):
            raise DataError(f"{origin}: a lazy frame has no rows yet; call its collect() first")
        names = getattr(value, "column_names", getattr(value, "columns", None))
        if names is None:
            is_series = hasattr(value, "to_numpy") and hasattr(value, "dtype")
            return cls({_series_name(value): value}, origin) if is_series else None
        if not hasattr(value, "__getitem__") or isinstance(value, type):
            return None
        counts = Counter(map(str, names))
        repeated = [name for name, count in counts.items() if count > 1]
        if repeated:
            raise DataError(
                f"{origin}: several columns are named {', '.join(map(repr, repeated))}; rename them"
            )
        return cls({str(name): value[name] for name in names}, origin)

    def select(self, names: Sequence[str]) -> "DataFrame":
        """Some of its columns, in that order."""
        return DataFrame({name: self.columns[name] for name in names}, self.origin)

    def without(self, names: Sequence[str]) -> "DataFrame":
        """The rest of its columns."""
        return self.select([name for name in self.columns if name not in names])

    def require(self, key: str, names: Sequence[str]) -> None:
        """Raises DataError where a named column is not there, with the nearest name."""
        for name in names:
            if name not in self.columns:
                there = tuple(self.columns)
                raise DataError(f"{self.origin}: {key}: no column {name!r}{nearest(name, there)}")

    def features(self, numeric: Mapping[str, bool] | None = None) -> Features:
        """Numbers (n, d), float32 where all columns are, and the categories.

        Args:
            numeric: The kind of the columns whose cells do not decide it: True for numbers.

        Raises:
            DataError: There is no column or no row, or a column holds dates, lists or other
                objects, or values of several kinds.
        """
        if not self.columns:
            raise DataError(f"{self.origin}: it has no columns to learn from")
        kinds = numeric or {}
        columns = {name: self._column(name, kinds.get(name))[0] for name in self.columns}
        categories = {name: one for name, one in columns.items() if isinstance(one, Category)}
        numbers = {name: one for name, one in columns.items() if isinstance(one, np.ndarray)}
        rows = max((len(one) for one in numbers.values()), default=0)
        rows = max((len(one.codes) for one in categories.values()), default=rows)
        if not rows:
            raise DataError(
                f"{self.origin}: columns ({', '.join(list(columns)[:20])}) and no rows in them"
            )
        single = bool(numbers) and all(one.dtype == np.float32 for one in numbers.values())
        matrix = np.empty((rows, len(numbers)), np.float32 if single else np.float64)
        for index, one in enumerate(numbers.values()):
            matrix[:, index] = one
        return Features(matrix, tuple(numbers), categories)

    def target(self) -> Target:
        """One column as classes or numbers, several as numbers (n, t), in the type they have."""
        columns = {name: self._column(name, None) for name in self.columns}
        texts = [name for name, (one, _) in columns.items() if isinstance(one, Category)]
        if texts and len(columns) > 1:
            raise DataError(
                f"{self.origin}: target {texts[0]!r} holds strings; several targets must be numbers"
            )
        label_types = {label_type for _, label_type in columns.values()}
        label_type = label_types.pop() if len(label_types) == 1 else "float"
        if texts:
            column = columns[texts[0]][0]
            assert isinstance(column, Category)
            codes = column.codes.astype(np.int64)
            return Target(codes, tuple(columns), column.values, label_type=label_type)
        values = [np.asarray(one, np.float64) for one, _ in columns.values()]
        return Target(np.stack(values, axis=1), tuple(columns), label_type=label_type)

    def _column(self, name: str, numeric: bool | None) -> tuple[Column, LabelType]:
        series = self.columns[name]
        type_name = str(getattr(series, "dtype", getattr(series, "type", ""))).lower()
        return column_of(
            np.asarray(series.to_numpy()),
            f"{self.origin}: column {name!r}",
            numeric,
            categorical=type_name.startswith(_CATEGORIES),
        )


def _series_name(series: object) -> str:
    name = getattr(series, "name", None)
    return "target" if name is None or name == "" else str(name)
