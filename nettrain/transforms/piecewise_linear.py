"""Piecewise-linear encoding of numbers."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.component import Count
from nettrain.data.features import Features
from nettrain.data.rows.base import chunks
from nettrain.data.rows.columns import columns_of
from nettrain.data.target import Target
from nettrain.data.transform import Columns, State, Transform, check_columns
from nettrain.errors import ConfigError
from nettrain.quantiles import quantile_knots
from nettrain.transforms._tree_knots import tree_knots


@dataclass(frozen=True, kw_only=True)
class PiecewiseLinear(Transform):
    """Piecewise-linear encoding. y_t = clip((x - k_t) / (k_t+1 - k_t), 0, 1) for bins t = 1 .. T.

    Knots k_1 < ... < k_T+1 divide the training values of a column into bins; a bin's number rises
    from 0 to 1 inside it, is 0 below and 1 above. A network then fits steps and bends of a feature
    with one layer of weights. Numbers (n, d) -> (n, d + bins): x itself stays, and the new columns
    are named `age#1`, `age#2` ... A column with at most `bins` distinct values is left alone, since
    every value would be a bin. A missing number stays missing, in its bins too: put impute before.
    For tables only.

    Knots at quantiles count a value that many rows share at most once per bin; plain quantiles
    would leave it few bins for all others. `knots: tree` puts them where the target changes, at the
    splits of a regression or classification tree (the target's mean squared error, or Gini's
    impurity) on the column alone. Gorishniy et al. 2022 (On embeddings for numerical features in
    tabular deep learning), section 3.2; their first and last bin go on below 0 and above 1, for
    which x itself stands here.
    """

    bins: Annotated[
        Count,
        Field(
            ge=2,
            le=1024,
            description="number of bins of a column. More fit sharper steps but need more rows; "
            "with 16 a bin of a table of a few hundred rows still has tens of them",
        ),
    ] = 16
    knots: Annotated[
        Literal["quantiles", "tree"],
        Field(description="where bins meet: at quantiles, or at the splits of a decision tree"),
    ] = "quantiles"
    min_rows: Annotated[
        Count, Field(description="minimum number of training rows in a bin of knots: tree")
    ] = 20
    columns: Columns = None

    by_chunks = True

    def fit(self, features: Features) -> State:
        """Learns the knots without a target; see `fit_to_target`."""
        return self.fit_to_target(features, None)

    def fit_to_target(self, features: Features, target: Target | None) -> State:
        """Learns the bins (b,) of all columns together.

        Returns:
            `sources`, the index of the column of each bin; `lower` and `upper`, its knots; `names`.

        Raises:
            ConfigError: The features are images, or `knots: tree` has no target.
        """
        check_columns(self.columns, features.names, self.name())
        if features.numbers.ndim > 2:
            raise ConfigError("dataset.transforms: piecewise_linear: it is for tables, not images")
        if self.knots == "tree" and target is None:
            raise ConfigError(
                "dataset.transforms: piecewise_linear: `knots: tree` needs a target, which an "
                "autoencoder has not; use `knots: quantiles`"
            )
        y = _scaled(target) if self.knots == "tree" and target is not None else None
        sources: list[int] = []
        names: list[str] = []
        lower, upper = [np.zeros(0)], [np.zeros(0)]
        for index, (name, column) in enumerate(
            zip(features.names, columns_of(features.numbers), strict=True)
        ):
            if self.columns is None or name in self.columns:
                knots = self._knots(column.astype(np.float64), y)
                sources += [index] * (len(knots) - 1)
                names += [f"{name}#{bin}" for bin in range(1, len(knots))]
                lower.append(knots[:-1])
                upper.append(knots[1:])
        return {
            "sources": np.array(sources, np.int64),
            "lower": np.concatenate(lower),
            "upper": np.concatenate(upper),
            "names": names,
        }

    def apply(self, features: Features, state: State) -> Features:
        """Appends the bins of the chosen columns to the numbers."""
        sources, lower, upper = (np.asarray(state[key]) for key in ("sources", "lower", "upper"))
        x = features.array
        n, d = x.shape
        numbers = np.empty((n, d + len(sources)))
        for rows in chunks(numbers.shape):  # copies of all bins would be the largest arrays of all
            numbers[rows, :d] = x[rows]
            bins = (numbers[rows][:, sources] - lower) / (upper - lower)
            np.clip(bins, 0, 1, out=numbers[rows, d:])
        names = (*features.names, *map(str, state["names"]))
        return replace(features, numbers=numbers, names=names)

    def _knots(self, x: np.ndarray, y: np.ndarray | None) -> np.ndarray:
        """Returns the knots of a column; one or none where it is left alone."""
        present = ~np.isnan(x)
        if len(np.unique(x[present])) <= self.bins:
            return np.zeros(0)
        if y is None:
            return quantile_knots(x[present], self.bins)
        knots = tree_knots(x[present], y[present], self.bins, self.min_rows)
        return knots if len(knots) > 2 else np.zeros(0)  # one bin would be x itself


def _scaled(target: Target) -> np.ndarray:
    """Returns the targets (n, t) that a tree predicts; several numbers count alike."""
    y = target.indicators
    if target.classes is not None:
        return y
    deviation = y.std(axis=0)
    return y / np.where(deviation > 0, deviation, 1.0)
