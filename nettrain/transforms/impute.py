"""Imputation of missing cells."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.component import Flag, Real, Text
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.rows.columns import columns_of
from nettrain.data.transform import Columns, State, Transform, check_columns
from nettrain.errors import ConfigError, DataError


@dataclass(frozen=True, kw_only=True)
class Impute(Transform):
    """Imputation. y = x, or where x is missing: mean, median, most frequent value, or a constant.

    Learned from the training rows. mean and median fill numbers only: one_hot encodes a missing
    category as zeros. most_frequent (at a tie the smallest, as scikit-learn's SimpleImputer) and
    constant fill both. With `flag` a column `age_missing` of 0 and 1 is added for each column with
    a gap in the training rows. An error for a column that is missing in all training rows.
    """

    strategy: Annotated[
        Literal["mean", "median", "most_frequent", "constant"],
        Field(description="statistic that fills a missing cell"),
    ] = "mean"
    value: Annotated[Real, Field(description="number for strategy constant")] = 0.0
    text: Annotated[Text, Field(description="string for strategy constant")] = "missing"
    flag: Annotated[
        Flag, Field(description="add a column per feature that says where a cell was missing")
    ] = False
    columns: Columns = None

    by_chunks = True

    def fit(self, features: Features) -> State:
        """Learns what fills each column, and which columns get a flag.

        Returns:
            `fill`, a number per column (NaN: none); `columns` and `texts`, the categorical
            columns and what fills them; `flags`, the columns that get a flag.
        """
        check_columns(self.columns, (*features.names, *features.categories), self.name())
        numbers, shape = features.numbers, features.numbers.shape[1:]
        fill = np.full(math.prod(shape), np.nan)
        gaps = np.zeros(len(fill), bool)
        for index, column in enumerate(columns_of(numbers) if self._learns(features) else ()):
            name = features.names[index] if features.names else None
            if name is None or self._chooses(name):
                where = f"pixel {_pixel(index, shape)}" if name is None else f"column {name!r}"
                fill[index] = self._number(column, where)
                gaps[index] = np.isnan(column).any()
        texts = self.strategy in ("most_frequent", "constant")
        names = [name for name in features.categories if texts and self._chooses(name)]
        texts_found = [self._text(features.categories[name], name) for name in names]
        return {
            "fill": fill.reshape(shape),
            "columns": names,
            "texts": texts_found,
            "flags": self._flags(features, gaps) if self.flag else [],
        }

    def apply(self, features: Features, state: State) -> Features:
        """Fills the missing cells; the others stay."""
        numbers = features.array
        if numbers.dtype.kind == "f":
            numbers = np.where(np.isnan(numbers), state["fill"], numbers)
        categories = dict(features.categories)
        for name, text in zip(state["columns"], state["texts"], strict=True):
            categories[str(name)] = _filled(categories[str(name)], str(text))
        flags = [str(name) for name in state["flags"]]
        if flags:
            numbers = np.column_stack([numbers, *(_gaps(features, name) for name in flags)])
        made = [_flag_name(name) for name in flags]
        return dataclasses.replace(
            features,
            numbers=numbers,
            names=(*features.names, *made),
            categories=categories,
            indicators=features.indicators.union(made),
        )

    def _learns(self, features: Features) -> bool:
        """Whether numbers are filled: of pixels all or none."""
        return features.numbers.ndim == 2 or self.columns is None

    def _flags(self, features: Features, gaps: np.ndarray) -> list[str]:
        """Returns the chosen columns with a gap."""
        if features.numbers.ndim > 2:
            raise ConfigError(
                "dataset.transforms: impute.flag: pixels have no columns to flag; leave `flag` out"
            )
        known = (*features.names, *features.categories)
        with_gaps = [name for name, gap in zip(features.names, gaps, strict=True) if gap]
        with_gaps += [
            name
            for name in features.categories
            if self._chooses(name) and _gaps(features, name).any()
        ]
        for name in with_gaps:
            if _flag_name(name) in known:
                raise ConfigError(
                    f"dataset.transforms: impute.flag: there is a column {_flag_name(name)!r} "
                    "already; rename it, or leave `flag` out"
                )
        return with_gaps

    def _chooses(self, name: str) -> bool:
        return self.columns is None or name in self.columns

    def _number(self, column: np.ndarray, where: str) -> float:
        if self.strategy == "constant":
            return self.value
        present = column[~np.isnan(column)]
        if not len(present):
            raise _nothing_to_learn(where, len(column))
        if self.strategy == "most_frequent":
            values, counts = np.unique(present, return_counts=True)
            return float(values[counts.argmax()])
        return float(
            present.mean(dtype=np.float64) if self.strategy == "mean" else np.median(present)
        )

    def _text(self, column: Category, name: str) -> str:
        if self.strategy == "constant":
            return self.text
        present = column.codes[column.codes != MISSING]
        if not len(present):
            raise _nothing_to_learn(f"column {name!r}", len(column.codes))
        counts = np.bincount(present)
        return min(column.values[code] for code in np.flatnonzero(counts == counts.max()))


def _flag_name(column: str) -> str:
    return f"{column}_missing"


def _gaps(features: Features, name: str) -> np.ndarray:
    """Returns whether the cells of a column are missing (n,)."""
    if name in features.categories:
        return features.categories[name].codes == MISSING
    return np.isnan(features.array[:, features.names.index(name)])


def _pixel(index: int, shape: tuple[int, ...]) -> list[int]:
    return [int(i) for i in np.unravel_index(index, shape)]


def _nothing_to_learn(where: str, rows: int) -> DataError:
    return DataError(
        f"{where}: missing in all {rows} training rows, so there is no value to impute; "
        "leave the column out (`ignore`), or impute with strategy constant"
    )


def _filled(column: Category, text: str) -> Category:
    values = column.values if text in column.values else (*column.values, text)
    codes = np.where(column.codes == MISSING, values.index(text), column.codes)
    return Category(codes.astype(column.codes.dtype), values)
