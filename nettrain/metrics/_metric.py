"""The bases of all metrics."""

from abc import abstractmethod
from typing import ClassVar, Generic, TypeVar

import numpy as np

from nettrain.component import Component
from nettrain.metrics._outcome import Outcome

OutcomeT = TypeVar("OutcomeT", bound=Outcome)


class Metric(Component, Generic[OutcomeT]):
    """A number that says how good predictions are, equal to scikit-learn's.

    Attributes:
        outcomes: the types of outcome that it measures.
        higher_is_better: accuracy: yes; errors: no.
    """

    kind = "metric"
    package = "nettrain.metrics"
    outcomes: ClassVar[tuple[type[Outcome], ...]]
    higher_is_better: ClassVar[bool]

    @abstractmethod
    def value(self, outcome: OutcomeT) -> float | None:
        """Returns the metric; None where it is not defined (ROC AUC of a single class)."""

    def each(self, outcome: OutcomeT) -> np.ndarray | None:
        """Returns the metric per class, label or target (NaN: not defined), if it has one."""
        return None

    def undefined_reason(self, outcome: OutcomeT) -> str:
        """Returns why `value` is None for this outcome."""
        return f"it is not defined for these {len(outcome.targets)} rows"


class MeanMetric(Metric[OutcomeT]):
    """A metric of each class, label or target: its value is the mean of those that are defined."""

    @abstractmethod
    def each(self, outcome: OutcomeT) -> np.ndarray:
        """Returns the metric of each class, label or target; NaN where not defined."""

    def value(self, outcome: OutcomeT) -> float | None:
        """Returns the mean of `each` where it is defined; None where it is nowhere defined."""
        each = self.each(outcome)
        defined = each[~np.isnan(each)]
        return float(defined.mean()) if len(defined) else None


def ratio(numerator: np.ndarray, denominator: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """Returns numerator / denominator; 0 where both are 0, NaN where `scored` is false."""
    quotient = np.zeros(numerator.shape)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    quotient[~scored] = np.nan
    return quotient
