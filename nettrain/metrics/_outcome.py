"""What metrics measure: an outcome, the targets of n rows and the predictions for them."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from nettrain.metrics._decision import Decision


class Counts(NamedTuple):
    """How often each of k classes or labels occurs, is predicted, and is rightly predicted (k,).

    Attributes:
        actual: rows that are of it.
        predicted: rows predicted as it.
        hits: rows that are both.
        scored: whether it enters a mean, as in scikit-learn: all labels, and the classes that occur
            in targets or predictions.
    """

    actual: np.ndarray
    predicted: np.ndarray
    hits: np.ndarray
    scored: np.ndarray


@dataclass(frozen=True)
class ClassOutcome:
    """The outcome of classification.

    Attributes:
        targets: codes (n,) of k classes.
        probabilities: (n, k).
        decision: How a class is decided from them.
    """

    targets: np.ndarray
    probabilities: np.ndarray
    decision: Decision = Decision()

    @cached_property
    def predicted(self) -> np.ndarray:
        """The class that is decided for each row (n,)."""
        return self.decision.classes(self.probabilities)

    @cached_property
    def confusion_matrix(self) -> np.ndarray:
        """Counts (k, k): row = true class, column = predicted class."""
        k = self.probabilities.shape[1]
        return np.bincount(self.targets * k + self.predicted, minlength=k * k).reshape(k, k)

    @cached_property
    def positives(self) -> np.ndarray:
        """Whether row i is of class j (n, k)."""
        return self.targets[:, None] == np.arange(self.probabilities.shape[1])

    @cached_property
    def counts(self) -> Counts:
        """The counts of each class."""
        actual, predicted = self.confusion_matrix.sum(axis=1), self.confusion_matrix.sum(axis=0)
        return Counts(actual, predicted, self.confusion_matrix.diagonal(), actual + predicted > 0)

    def take(self, rows: np.ndarray) -> "ClassOutcome":
        """Some of the rows, by index."""
        return ClassOutcome(self.targets[rows], self.probabilities[rows], self.decision)

    def resampled_counts(self, samples: np.ndarray) -> Counts:
        """The counts (k, b) in samples (n, b), which say how often each row stands in each."""
        k = self.probabilities.shape[1]
        rows = np.arange(len(samples))
        actual = _sum_by_class(self.targets, samples, k, rows)
        predicted = _sum_by_class(self.predicted, samples, k, rows)
        hits = _sum_by_class(self.targets, samples, k, rows[self.predicted == self.targets])
        return Counts(actual, predicted, hits, actual + predicted > 0)


def _sum_by_class(codes: np.ndarray, samples: np.ndarray, k: int, rows: np.ndarray) -> np.ndarray:
    """Sums (k, b) of some rows of `samples` (n, b) over those of each class, codes (n,)."""
    sums = np.zeros((k, samples.shape[1]))
    ordered = rows[np.argsort(codes[rows], kind="stable")]
    count = np.bincount(codes[rows], minlength=k)
    present = np.flatnonzero(count)
    if len(present):
        first = (np.cumsum(count) - count)[present]
        sums[present] = np.add.reduceat(samples[ordered], first, axis=0)
    return sums


@dataclass(frozen=True)
class LabelOutcome:
    """The outcome of multi-label classification. A label is predicted from 0.5 upwards.

    Attributes:
        targets: 0 or 1 for each label (n, l).
        probabilities: (n, l).
    """

    targets: np.ndarray
    probabilities: np.ndarray

    @cached_property
    def positives(self) -> np.ndarray:
        """Whether row i has label j (n, l)."""
        return self.targets > 0.5

    @cached_property
    def predicted(self) -> np.ndarray:
        """Whether label j is predicted for row i (n, l)."""
        return self.probabilities >= 0.5

    @cached_property
    def counts(self) -> Counts:
        """The counts of each label."""
        actual, predicted = self.positives.sum(axis=0), self.predicted.sum(axis=0)
        return Counts(
            actual,
            predicted,
            (self.positives & self.predicted).sum(axis=0),
            np.ones(len(actual), dtype=bool),
        )

    def take(self, rows: np.ndarray) -> "LabelOutcome":
        """Some of the rows, by index."""
        return LabelOutcome(self.targets[rows], self.probabilities[rows])

    def resampled_counts(self, samples: np.ndarray) -> Counts:
        """The counts (l, b) in samples (n, b), which say how often each row stands in each."""
        actual, predicted = self.positives.T @ samples, self.predicted.T @ samples
        hits = (self.positives & self.predicted).T @ samples
        return Counts(actual, predicted, hits, np.ones(actual.shape, dtype=bool))


@dataclass(frozen=True)
class ValueOutcome:
    """The outcome of regression.

    Attributes:
        targets: (n, t), in original units.
        predicted: (n, t), in original units: one value, of quantiles the one nearest to the median.
        levels: The probabilities of the k quantiles that are predicted, rising; empty: none are.
        quantiles: (n, k, t); None: none are predicted.
        lower, upper: The interval of each value (n, t); None: there is none.
    """

    targets: np.ndarray
    predicted: np.ndarray
    levels: tuple[float, ...] = ()
    quantiles: np.ndarray | None = None
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None

    @classmethod
    def of(cls, targets: np.ndarray, predictions: np.ndarray, decision: Decision) -> "ValueOutcome":
        """The outcome of predictions (n, k t); several quantiles span an interval."""
        levels, values = decision.levels, decision.values(predictions)
        if not levels:
            return cls(targets, values)
        quantiles = decision.quantiles(predictions)
        ends = (quantiles[:, 0], quantiles[:, -1]) if len(levels) > 1 else (None, None)
        return cls(targets, values, levels, quantiles, *ends)

    @cached_property
    def errors(self) -> np.ndarray:
        """predicted - targets (n, t), in float64."""
        return np.subtract(self.predicted, self.targets, dtype=np.float64)

    def take(self, rows: np.ndarray) -> "ValueOutcome":
        """Some of the rows, by index."""
        arrays = (self.quantiles, self.lower, self.upper)
        taken = [None if array is None else array[rows] for array in arrays]
        return ValueOutcome(self.targets[rows], self.predicted[rows], self.levels, *taken)


Outcome = ClassOutcome | LabelOutcome | ValueOutcome
OUTCOMES: dict[str, type[Outcome]] = {
    "classification": ClassOutcome,
    "multilabel": LabelOutcome,
    "regression": ValueOutcome,
}


def not_finite(outcome: Outcome) -> np.ndarray:
    """Returns the rows (m,) with a prediction that is NaN or infinite, in order."""
    if not isinstance(outcome, ValueOutcome):
        predictions = outcome.probabilities
    elif outcome.quantiles is None:
        predictions = outcome.predicted
    else:
        predictions = outcome.quantiles.reshape(len(outcome.quantiles), -1)
    return np.flatnonzero(~np.isfinite(predictions).all(axis=1))


def outcome_of(
    task: str, targets: np.ndarray, predictions: np.ndarray, decision: Decision | None = None
) -> Outcome:
    """Returns the outcome of a task.

    Args:
        task: classification, multilabel or regression.
        targets: codes (n,), labels (n, l) or values (n, t).
        predictions: those of a loss: probabilities (n, k) or (n, l), or values (n, t), of k
            quantiles (n, k t).
        decision: what they stand for; None: the most probable class is decided, and values are no
            quantiles.
    """
    decision = decision or Decision()
    if task == "classification":
        return ClassOutcome(targets, predictions, decision)
    if task == "multilabel":
        return LabelOutcome(targets, predictions)
    return ValueOutcome.of(targets, predictions, decision)
