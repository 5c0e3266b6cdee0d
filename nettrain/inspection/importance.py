"""Permutation importance: how much worse a model gets when one column is shuffled."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from nettrain import streams
from nettrain.config.plugins import in_use
from nettrain.data.dataset import Dataset
from nettrain.data.features import Features
from nettrain.data.unseen import unseen_ignored
from nettrain.errors import ConfigError, DataError, nearest
from nettrain.inference.predictor import Predictor
from nettrain.inspection.raw_features import (
    column_names,
    correlated_columns,
    with_permuted,
)
from nettrain.inspection.runs import MAIN_METRICS
from nettrain.inspection.statistics.corrected_t import t_quantile
from nettrain.metrics import metrics_of, outcome_of, undefined_reason

REPEATS = 10


@dataclass(frozen=True)
class FeatureImportance:
    """How much a model relies on one column.

    Attributes:
        feature: The raw column; a categorical one is shuffled as a whole, however it is encoded.
        values: The loss of the metric in each repeat, in its units; positive: it got worse.
    """

    feature: str
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The importance."""
        return float(np.mean(self.values))

    @property
    def std(self) -> float:
        """Of the repeats, n in the denominator, as in scikit-learn."""
        return float(np.std(self.values))

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the mean over shuffles, by Student's t; None of one repeat."""
        n = len(self.values)
        if n < 2:
            return None
        half = t_quantile(0.975, n - 1) * float(np.std(self.values, ddof=1)) / n**0.5
        return self.mean - half, self.mean + half


@dataclass(frozen=True)
class Importance:
    """The importance of every column, the most important first.

    Attributes:
        metric: In whose units.
        value: The metric with nothing shuffled.
        rows: How many rows were evaluated.
        features: One entry per column.
        correlated: Pairs of columns with their correlation: a model can read one of such a pair
            from the other, so that shuffling either alone shows too little.
    """

    metric: str
    value: float
    rows: int
    features: tuple[FeatureImportance, ...]
    correlated: tuple[tuple[str, str, float], ...]


def permutation_importance(
    predictor: Predictor,
    dataset: Dataset,
    *,
    metric: str | None = None,
    repeats: int = REPEATS,
    seed: int = 0,
) -> Importance:
    """Permutation importance of every raw column of a table.

    Breiman 2001, "Random Forests", section 10; Fisher et al. 2019. scikit-learn:
    inspection.permutation_importance. Every column is shuffled by the same permutations.

    Args:
        predictor: A trained model.
        dataset: Rows with targets; rows that the model was not trained on show what generalizes.
        metric: Of the task; default: accuracy, label accuracy or R2.
        repeats: Shuffles per column.
        seed: Of the shuffles.

    Raises:
        ConfigError: The inputs are images, or there is no such metric.
        DataError: The metric is not defined for these rows.
    """
    if not column_names(dataset.features):
        raise ConfigError("importance: the inputs are images; it is defined for tables")
    dataset = replace(dataset, features=dataset.features.in_memory())
    with in_use(predictor.config.plugins):
        truth = predictor.truth(dataset)
        outcome = outcome_of(
            predictor.task, truth, predictor.predictions_of(dataset), predictor.decision
        )
        metrics = metrics_of(outcome)
        name = metric or next(name for name in MAIN_METRICS if name in metrics)
        if name not in metrics:
            hint = nearest(name, metrics) or f"; there are {', '.join(metrics)}"
            raise ConfigError(f"--metric {name}: this task has no such metric{hint}")
        chosen = metrics[name]
        value = chosen.value(outcome)
        if value is None:
            raise DataError(f"{name} is not defined: {undefined_reason(name, outcome)}")

        def score(features: Features) -> float:
            predicted = predictor.predictions_of(replace(dataset, features=features))
            found = chosen.value(outcome_of(predictor.task, truth, predicted, predictor.decision))
            return np.nan if found is None else found

        random = streams.generator(seed, "permutation")
        permutations = np.stack([random.permutation(len(dataset)) for _ in range(repeats)])
        with unseen_ignored():
            scores = permuted_scores(score, dataset.features, permutations)
    sign = 1 if chosen.higher_is_better else -1
    features = [
        FeatureImportance(one, tuple((sign * (value - row)).tolist()))
        for one, row in scores.items()
    ]
    features.sort(key=lambda one: -one.mean)
    correlated = tuple(correlated_columns(dataset.features))
    return Importance(name, value, len(dataset), tuple(features), correlated)


def permuted_scores(
    score: Callable[[Features], float], features: Features, permutations: np.ndarray
) -> dict[str, np.ndarray]:
    """The scores (r,) of each column, with its cells in the order of each permutation (r, n)."""
    return {
        name: np.array([score(with_permuted(features, name, rows)) for rows in permutations])
        for name in column_names(features)
    }
