"""The base of the metrics of what a model predicts beside a value: quantiles, or an interval."""

from abc import abstractmethod

import numpy as np

from nettrain.metrics._metric import RowMetric
from nettrain.metrics._outcome import ValueOutcome


class SpreadMetric(RowMetric[ValueOutcome]):
    """A metric of quantiles or intervals; not defined where none are predicted."""

    outcomes = (ValueOutcome,)

    @abstractmethod
    def measured(self, outcome: ValueOutcome) -> np.ndarray | None:
        """The metric of each row and target (n, t); None where it is not defined."""

    def rows(self, outcome: ValueOutcome) -> np.ndarray:
        """The metric of each row and target (n, t); NaN where it is not defined."""
        found = self.measured(outcome)
        return np.full(outcome.targets.shape, np.nan) if found is None else found

    def each(self, outcome: ValueOutcome) -> np.ndarray | None:  # type: ignore[override]
        """The mean of each target (t,)."""
        found = self.measured(outcome)
        return None if found is None else found.mean(axis=0)

    def value(self, outcome: ValueOutcome) -> float | None:
        """The mean over targets."""
        each = self.each(outcome)
        return None if each is None else float(each.mean())

    def undefined_reason(self, outcome: ValueOutcome) -> str:
        """It needs quantiles."""
        return (
            "no quantiles are predicted; train several of them (loss: {type: quantile, quantiles: "
            "[0.05, 0.5, 0.95]})"
        )
