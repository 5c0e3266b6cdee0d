"""The bases of all metrics."""

import math
from abc import abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from nettrain.component import Component
from nettrain.metrics._outcome import ClassOutcome, Counts, LabelOutcome, Outcome

OutcomeT = TypeVar("OutcomeT", bound=Outcome)


class Metric(Component, Generic[OutcomeT]):
    """A number that says how good predictions are, equal to scikit-learn's.

    Attributes:
        outcomes: the types of outcome that it measures.
        higher_is_better: accuracy: yes; errors: no.
        bounds: the least and the greatest value that it can have.
    """

    kind = "metric"
    package = "nettrain.metrics"
    outcomes: ClassVar[tuple[type[Outcome], ...]]
    higher_is_better: ClassVar[bool]
    bounds: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    @abstractmethod
    def value(self, outcome: OutcomeT) -> float | None:
        """Returns the metric; None where it is not defined (ROC AUC of a single class)."""

    def each(self, outcome: OutcomeT) -> np.ndarray | None:
        """Returns the metric per class, label or target (NaN: not defined), if it has one."""
        return None

    def undefined_reason(self, outcome: OutcomeT) -> str:
        """Returns why `value` is None for this outcome."""
        return f"it is not defined for these {len(outcome.targets)} rows"

    def resampled(self, outcome: OutcomeT, samples: np.ndarray) -> np.ndarray:
        """Returns the metric of b samples of the rows (b,), NaN where it is not defined.

        Any metric can be computed from the rows themselves, as here. Those that a sum over rows
        determines override this with arithmetic on all samples at once.

        Args:
            outcome: n rows.
            samples: How often each row stands in each sample (n, b); each has n rows.
        """
        rows = np.arange(len(samples))
        values = []
        for sample in samples.T:
            drawn: Any = outcome.take(np.repeat(rows, sample.astype(np.int64)))
            values.append(self.value(drawn))
        return np.array([math.nan if value is None else value for value in values])

    def sample_cost(self, outcome: OutcomeT) -> float:
        """Returns the work of one sample in `resampled`, in multiplications per row.

        It decides how many samples a large part gets.
        """
        return 50.0


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


class RowMetric(MeanMetric[OutcomeT]):
    """A metric that is the mean over rows of one value per row and target or label."""

    @abstractmethod
    def rows(self, outcome: OutcomeT) -> np.ndarray:
        """The value of each row and target or label (n, t)."""

    def each(self, outcome: OutcomeT) -> np.ndarray:
        """The mean of each target or label (t,)."""
        return self.rows(outcome).mean(axis=0)

    def resampled(self, outcome: OutcomeT, samples: np.ndarray) -> np.ndarray:
        """rows^T samples / n."""
        return mean_of_defined(self.rows(outcome).T @ samples / len(samples))

    def sample_cost(self, outcome: OutcomeT) -> float:
        """One product of matrices for all targets or labels."""
        return product_cost(outcome.targets.shape[1])


class ShareMetric(Metric[OutcomeT]):
    """A metric that is the share of right rows."""

    bounds = (0.0, 1.0)

    @abstractmethod
    def right(self, outcome: OutcomeT) -> np.ndarray | None:
        """Whether each row is right (n,); None where that is not defined."""

    def value(self, outcome: OutcomeT) -> float | None:
        """right rows / n."""
        right = self.right(outcome)
        return None if right is None else float(right.mean())

    def resampled(self, outcome: OutcomeT, samples: np.ndarray) -> np.ndarray:
        """right^T samples / n."""
        right = self.right(outcome)
        if right is None:
            return np.full(samples.shape[1], math.nan)
        return right @ samples / len(samples)

    def sample_cost(self, outcome: OutcomeT) -> float:
        """One multiplication per row."""
        return 1.0


class CountMetric(MeanMetric[ClassOutcome | LabelOutcome]):
    """A metric that the counts of each class or label determine; the mean over these ("macro")."""

    outcomes: ClassVar[tuple[type[Outcome], ...]] = (ClassOutcome, LabelOutcome)
    higher_is_better = True
    bounds = (0.0, 1.0)

    @abstractmethod
    def of_counts(self, counts: Counts) -> np.ndarray:
        """Returns the metric of each class or label, shaped as the counts; NaN: not defined."""

    def each(self, outcome: ClassOutcome | LabelOutcome) -> np.ndarray:
        """Returns the metric of each class or label (k,)."""
        return self.of_counts(outcome.counts)

    def resampled(self, outcome: ClassOutcome | LabelOutcome, samples: np.ndarray) -> np.ndarray:
        """From the counts of each sample."""
        return mean_of_defined(self.of_counts(outcome.resampled_counts(samples)))

    def sample_cost(self, outcome: ClassOutcome | LabelOutcome) -> float:
        """Three sums over the rows, however many classes there are."""
        return 3.0


def product_cost(columns: int) -> float:
    """Returns the work per row of a product of matrices, whose columns share what is read."""
    return 1 + columns / 16


def mean_of_defined(values: np.ndarray) -> np.ndarray:
    """Returns the mean over the first axis of what is not NaN; NaN where all is."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=0)
    total = np.where(defined, values, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(count.shape, math.nan), where=count > 0)


def ratio(numerator: np.ndarray, denominator: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """Returns numerator / denominator; 0 where both are 0, NaN where `scored` is false."""
    quotient = np.zeros(numerator.shape)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    quotient[~scored] = np.nan
    return quotient
