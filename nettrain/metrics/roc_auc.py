"""ROC AUC: the area under the receiver operating characteristic."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import Metric
from nettrain.metrics._outcome import ClassOutcome, LabelOutcome


@dataclass(frozen=True, kw_only=True)
class RocAuc(Metric[ClassOutcome | LabelOutcome]):
    """ROC AUC. P(score of a positive row > score of a negative row), ties counted half.

    Computed as (R - p (p + 1) / 2) / (p q), R being the sum of the ranks of the p positive rows
    among all p + q, where tied rows share their mean rank (Mann & Whitney 1947). Two classes: the
    area of class 1. Several classes: the mean over classes of one against the rest. Labels: the
    mean over labels. Not defined, as in scikit-learn, where a class or label has no positive or no
    negative row.
    """

    outcomes = (ClassOutcome, LabelOutcome)
    higher_is_better = True
    bounds = (0.0, 1.0)

    def value(self, outcome: ClassOutcome | LabelOutcome) -> float | None:
        """Returns a number in [0, 1], 0.5 for random scores; None where it is not defined."""
        areas = self.each(outcome)
        area = areas[1] if isinstance(outcome, ClassOutcome) and len(areas) == 2 else areas.mean()
        return None if np.isnan(area) else float(area)

    def each(self, outcome: ClassOutcome | LabelOutcome) -> np.ndarray:
        """Returns the area of each class against the rest, or of each label (k,)."""
        positive = outcome.positives
        p = positive.sum(axis=0, dtype=np.float64)
        pairs = p * (len(positive) - p)
        rank_sum = np.where(positive, ranks(outcome.probabilities), 0).sum(axis=0)
        return np.divide(
            rank_sum - p * (p + 1) / 2, pairs, out=np.full(len(p), np.nan), where=pairs > 0
        )

    def resampled(self, outcome: ClassOutcome | LabelOutcome, samples: np.ndarray) -> np.ndarray:
        """U / (p q).  U = sum over positive rows of the negatives below, tied ones counted half.

        The rank sum in another form, which sorts once for all samples.
        """
        columns = range(outcome.probabilities.shape[1])
        if isinstance(outcome, ClassOutcome) and len(columns) == 2:
            columns = range(1, 2)
        areas = [
            _areas(outcome.probabilities[:, j], outcome.positives[:, j], samples) for j in columns
        ]
        return np.mean(areas, axis=0)

    def sample_cost(self, outcome: ClassOutcome | LabelOutcome) -> float:
        """A sum along the sorted rows of each class or label."""
        return 4.0 * outcome.probabilities.shape[1]

    def undefined_reason(self, outcome: ClassOutcome | LabelOutcome) -> str:
        positives, n = outcome.positives.sum(axis=0), len(outcome.targets)
        if isinstance(outcome, LabelOutcome):
            number = int(np.flatnonzero((positives == 0) | (positives == n))[0]) + 1
            return f"label {number} of {len(positives)} is the same in all {n} rows"
        if (positives == n).any():
            return f"all {n} rows are of one class"
        return f"{(positives == 0).sum()} of {len(positives)} classes have no row among these {n}"


def _areas(scores: np.ndarray, positive: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """The area in each sample (b,) for one column of scores (n,); NaN where a side is empty.

    Negative rows are summed in the runs that lie between two positive rows, the runs cumulatively.
    """
    negatives = np.flatnonzero(~positive)
    negatives = negatives[np.argsort(scores[negatives])]
    first = np.searchsorted(scores[negatives], scores[positive], side="left")
    after = np.searchsorted(scores[negatives], scores[positive], side="right")  # > first at a tie
    starts = np.flatnonzero(np.bincount([0, *first, *after, len(negatives)]))
    ordered = np.zeros((len(negatives) + 1, samples.shape[1]))  # a last row, for a run without any
    np.take(samples, negatives, axis=0, out=ordered[:-1])
    runs = np.add.reduceat(ordered, starts, axis=0)
    below = np.cumsum(runs, axis=0) - runs  # what lies below each start; the last one: all
    weights = samples[positive]
    u = sum(
        np.einsum("ib,ib->b", weights, below[np.searchsorted(starts, rank)])
        for rank in (first, after)
    )
    pairs = weights.sum(axis=0) * below[-1]
    return np.divide(u / 2, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def ranks(scores: np.ndarray) -> np.ndarray:
    """Returns the rank of each score in its column, from 1; tied scores share their mean rank.

    Args:
        scores: (n, k).
    """
    n, k = scores.shape
    columns = np.ascontiguousarray(scores.T)
    order = columns.argsort(axis=1)
    order += n * np.arange(k)[:, np.newaxis]  # into all columns, one after the other
    ordered = columns.ravel()[order]
    starts = np.ones((k, n), dtype=bool)  # of a run of equal scores
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=starts[:, 1:])
    ranked = np.empty(k * n)
    if starts.all():
        ranked[order] = np.arange(1, n + 1)
    else:
        first = np.flatnonzero(starts)
        length = np.diff(first, append=k * n)
        mean_rank = first % n + (length + 1) / 2
        ranked[order.ravel()] = np.repeat(mean_rank, length)
    return ranked.reshape(k, n).T
