"""What metrics measure: an outcome, the targets of n rows beside what a model said of them."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np


class Counts(NamedTuple):
    """How often each of k classes or labels was there, was predicted, and was rightly predicted (k,).

    scored (k,): which of them enter a mean: the classes that occur in targets or predictions, and all labels (as in scikit-learn).
    """

    actual: np.ndarray
    predicted: np.ndarray
    hits: np.ndarray
    scored: np.ndarray


@dataclass(frozen=True)
class ClassOutcome:
    """targets (n,) codes of k classes, probabilities (n, k); at a tie the first class is predicted."""

    targets: np.ndarray
    probabilities: np.ndarray

    @cached_property
    def predicted(self) -> np.ndarray:
        """The most probable class of each row (n,)."""
        return self.probabilities.argmax(axis=1)

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


@dataclass(frozen=True)
class LabelOutcome:
    """targets (n, l) of 0 and 1, probabilities (n, l); a label is predicted from one half upwards."""

    targets: np.ndarray
    probabilities: np.ndarray

    @cached_property
    def positives(self) -> np.ndarray:
        """Whether row i has label j (n, l)."""
        return self.targets > 0.5

    @cached_property
    def predicted(self) -> np.ndarray:
        """Whether row i is said to have label j (n, l)."""
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


@dataclass(frozen=True)
class ValueOutcome:
    """targets and predicted (n, t), in original units."""

    targets: np.ndarray
    predicted: np.ndarray

    @cached_property
    def errors(self) -> np.ndarray:
        """predicted - targets (n, t), in float64."""
        return np.subtract(self.predicted, self.targets, dtype=np.float64)


Outcome = ClassOutcome | LabelOutcome | ValueOutcome
OUTCOMES: dict[str, type[Outcome]] = {
    "classification": ClassOutcome,
    "multilabel": LabelOutcome,
    "regression": ValueOutcome,
}


def outcome_of(task: str, targets: np.ndarray, predictions: np.ndarray) -> Outcome:
    """The outcome of a task; predictions are a loss's: probabilities (n, k) or (n, l), or values (n, t)."""
    return OUTCOMES[task](targets, predictions)
