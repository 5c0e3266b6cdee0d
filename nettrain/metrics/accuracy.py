"""Accuracy."""

from dataclasses import dataclass

from nettrain.metrics._metric import Metric
from nettrain.metrics._outcome import ClassOutcome


@dataclass(frozen=True, kw_only=True)
class Accuracy(Metric[ClassOutcome]):
    """Accuracy. Rows whose predicted class is the true one / n."""

    outcomes = (ClassOutcome,)
    higher_is_better = True

    def value(self, outcome: ClassOutcome) -> float:
        """Returns a number in [0, 1]."""
        return float(outcome.counts.hits.sum() / len(outcome.targets))
