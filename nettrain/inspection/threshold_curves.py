"""ROC and precision-recall curves: what each decision threshold gains and costs."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RocCurve:
    """Receiver operating characteristic, a point per threshold, from (0, 0) to (1, 1).

    Attributes:
        false_positive_rate: Share of the negative rows with a score >= threshold.
        true_positive_rate: Share of the positive rows with a score >= threshold.
        thresholds: Decreasing; the first is infinite.
    """

    false_positive_rate: np.ndarray
    true_positive_rate: np.ndarray
    thresholds: np.ndarray

    @property
    def area(self) -> float:
        """The area under the curve."""
        return float(np.trapezoid(self.true_positive_rate, self.false_positive_rate))


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """Precision and recall, a point per threshold, recall increasing from 0.

    Attributes:
        precision: Share of the rows with a score >= threshold that are positive; 1 at the start.
        recall: Share of the positive rows with a score >= threshold.
        thresholds: Decreasing; the first is infinite.
    """

    precision: np.ndarray
    recall: np.ndarray
    thresholds: np.ndarray

    @property
    def average_precision(self) -> float:
        """AP = sum_i (R_i - R_i-1) P_i, without interpolation."""
        return float(np.diff(self.recall) @ self.precision[1:])


def roc_curve(positive: np.ndarray, scores: np.ndarray) -> RocCurve | None:
    """The ROC curve; None without a positive or without a negative row.

    scikit-learn: roc_curve(drop_intermediate=False).

    Args:
        positive: Whether each row is positive (n,).
        scores: Higher for rows that are more likely positive (n,).
    """
    hits, alarms, thresholds = _cumulative(positive, scores)
    if hits[-1] == 0 or alarms[-1] == 0:
        return None
    return RocCurve(alarms / alarms[-1], hits / hits[-1], thresholds)


def precision_recall_curve(positive: np.ndarray, scores: np.ndarray) -> PrecisionRecallCurve | None:
    """The precision-recall curve; None without a positive row.

    scikit-learn: precision_recall_curve, in the opposite order.

    Args:
        positive: Whether each row is positive (n,).
        scores: Higher for rows that are more likely positive (n,).
    """
    hits, alarms, thresholds = _cumulative(positive, scores)
    if hits[-1] == 0:
        return None
    chosen = hits + alarms
    precision = np.divide(hits, chosen, out=np.ones(len(hits)), where=chosen > 0)
    return PrecisionRecallCurve(precision, hits / hits[-1], thresholds)


def _cumulative(
    positive: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positive and negative rows with a score >= each distinct score; the first point has none."""
    order = np.argsort(-scores, kind="stable")
    ordered, is_positive = scores[order], positive[order]
    last = np.flatnonzero(np.append(np.diff(ordered) != 0, True))  # of a run of equal scores
    hits = np.cumsum(is_positive)[last]
    alarms = last + 1 - hits
    return (
        np.append(0, hits).astype(np.float64),
        np.append(0, alarms).astype(np.float64),
        np.append(np.inf, ordered[last].astype(np.float64)),
    )
