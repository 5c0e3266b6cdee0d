"""The bases of all metrics."""

from abc import abstractmethod
from typing import ClassVar, Generic, TypeVar

import numpy as np

from nettrain.component import Component
from nettrain.metrics._outcome import Outcome

OutcomeT = TypeVar("OutcomeT", bound=Outcome)


class Metric(Component, Generic[OutcomeT]):
    """One figure of an outcome, equal to scikit-learn's.

    outcomes          the outcomes that it is a figure of
    higher_is_better  accuracy: yes; errors: no
    """

    kind = "metric"
    package = "nettrain.metrics"
    outcomes: ClassVar[tuple[type[Outcome], ...]]
    higher_is_better: ClassVar[bool]

    @abstractmethod
    def value(self, outcome: OutcomeT) -> float | None:
        """The figure; None where it is not defined (ROC AUC with one class present)."""

    def each(self, outcome: OutcomeT) -> np.ndarray | None:
        """The same a class, label or target, where that makes sense; NaN where not defined."""
        return None


class MeanMetric(Metric[OutcomeT]):
    """A metric that has a figure a class, label or target, and is the mean of those that are defined."""

    @abstractmethod
    def each(self, outcome: OutcomeT) -> np.ndarray:
        """The figure of each class, label or target; NaN where not defined."""

    def value(self, outcome: OutcomeT) -> float | None:
        """The mean of `each` where it is defined; None where it nowhere is."""
        figures = self.each(outcome)
        defined = figures[figures == figures]  # NaN differs from itself
        return float(defined.mean()) if len(defined) else None


def share(part: np.ndarray, whole: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """part / whole; 0 where both are 0, NaN for what is not scored."""
    quotient = np.zeros(part.shape)
    np.divide(part, whole, out=quotient, where=whole > 0)
    quotient[~scored] = np.nan
    return quotient
