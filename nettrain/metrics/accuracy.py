"""Accuracy: how many rows are right."""

from dataclasses import dataclass

from nettrain.metrics._metric import Metric
from nettrain.metrics._outcome import ClassOutcome


@dataclass(frozen=True, kw_only=True)
class Accuracy(Metric[ClassOutcome]):
    """rows whose predicted class is the true one / n."""

    outcomes = (ClassOutcome,)
    higher_is_better = True

    def value(self, outcome: ClassOutcome) -> float:
        """Between 0 and 1."""
        return float(outcome.counts.hits.sum() / len(outcome.targets))
