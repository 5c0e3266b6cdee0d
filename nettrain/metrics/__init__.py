"""The base of all metrics, and what they measure: an outcome, the targets of n rows beside what a model said of them."""
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from nettrain.component import Component


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


@dataclass(frozen=True)
class ValueOutcome:
    """targets and predicted (n, t), in original units."""

    targets: np.ndarray
    predicted: np.ndarray


@dataclass(frozen=True)
class LabelOutcome:
    """targets (n, l) of 0 and 1, probabilities (n, l); a label is predicted from one half upwards."""

    targets: np.ndarray
    probabilities: np.ndarray


Outcome = ClassOutcome | ValueOutcome | LabelOutcome


class Metric(Component):
    """One figure of an outcome, equal to scikit-learn's."""

    kind = "metric"
    package = "nettrain.metrics"
    outcome: ClassVar[type]
    higher_is_better: ClassVar[bool]

    @abstractmethod
    def value(self, outcome: Outcome) -> float | None:
        """The figure; None where it is not defined (ROC AUC with one class present)."""

    def each(self, outcome: Outcome) -> np.ndarray | None:
        """The same a class, label or target, where that makes sense; NaN where not defined."""
        return None
