"""Partial dependence: what a model predicts on average when one column has a given value."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.features import MISSING, Features
from nettrain.data.unseen import unseen_ignored
from nettrain.errors import DataError
from nettrain.inference.predictor import Predictor
from nettrain.inspection.raw_features import (
    check_column,
    with_constant,
)

GRID = 20
RANGE = (0.05, 0.95)  # quantiles: beyond them there are too few rows to average over


@dataclass(frozen=True)
class PartialDependence:
    """The mean prediction over all rows, for each value of one column.

    Attributes:
        feature: The column.
        grid: Values (g,): numbers, increasing, or categories.
        mean: (g, k) probabilities of classes or labels, or (g, t) values in original units.
    """

    feature: str
    grid: tuple[float, ...] | tuple[str, ...]
    mean: np.ndarray

    @property
    def categorical(self) -> bool:
        """Whether the values have no order."""
        return isinstance(self.grid[0], str)


def partial_dependence(
    predictor: Predictor, dataset: Dataset, feature: str, *, size: int = GRID
) -> PartialDependence:
    """Partial dependence. PD(v) = mean over rows of the prediction with the column set to v.

    Friedman 2001, "Greedy function approximation", section 8.2. It averages over combinations of
    values that may never occur together, where columns are correlated. scikit-learn:
    inspection.partial_dependence(method="brute", kind="average").

    Args:
        predictor: A trained model.
        dataset: The rows over which predictions are averaged.
        feature: A raw column.
        size: The most values of a numeric column.

    Raises:
        ConfigError: There is no such column, or the inputs are images.
        DataError: The column has no value in any row.
    """
    check_column(dataset.features, feature, "--dependence")
    dataset = replace(dataset, features=dataset.features.in_memory())
    grid = grid_of(dataset.features, feature, size)
    if not grid:
        raise DataError(f"{feature!r} is missing in all {len(dataset)} rows")
    with unseen_ignored():
        means = mean_predictions(
            lambda features: predictor.decision.values(
                predictor.predictions_of(replace(dataset, features=features))
            ),
            dataset.features,
            feature,
            grid,
        )
    return PartialDependence(feature, grid, means)


def mean_predictions(
    predict: Callable[[Features], np.ndarray],
    features: Features,
    feature: str,
    grid: tuple[float, ...] | tuple[str, ...],
) -> np.ndarray:
    """The mean predictions (g, k) over all rows with the column set to each value."""
    return np.stack(
        [
            predict(with_constant(features, feature, value)).mean(axis=0, dtype=np.float64)
            for value in grid
        ]
    )


def grid_of(
    features: Features, feature: str, size: int = GRID
) -> tuple[float, ...] | tuple[str, ...]:
    """The categories that occur, or at most `size` numbers.

    Of a number with more distinct values: evenly spaced quantiles from 5 % to 95 %, each once.
    """
    if feature in features.categories:
        column = features.categories[feature]
        return tuple(column.values[code] for code in np.unique(column.codes) if code != MISSING)
    values = features.array[:, features.names.index(feature)].astype(np.float64)
    values = values[np.isfinite(values)]
    distinct = np.unique(values)
    if len(distinct) > size:
        distinct = np.unique(np.quantile(values, np.linspace(*RANGE, size)))
    return tuple(distinct.tolist())
