"""Calibration: whether events that a model gives 70 % happen in 70 % of the rows."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics import ClassOutcome, LabelOutcome

BINS = 10


@dataclass(frozen=True)
class Reliability:
    """The reliability curve: rows grouped by predicted probability, one entry per non-empty bin.

    Attributes:
        edges: Of the bins (b + 1,).
        predicted: The mean predicted probability in each bin.
        observed: The share of rows in each bin in which the event happened.
        counts: Rows per bin.
    """

    edges: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray
    counts: np.ndarray

    @property
    def ece(self) -> float:
        """Expected calibration error. ECE = sum_b n_b/n |observed_b - predicted_b|.

        Naeini et al. 2015; Guo et al. 2017, "On Calibration of Modern Neural Networks", eq. 3.
        It depends on the bins: compare only values with equal bins.
        """
        gaps = np.abs(self.observed - self.predicted)
        return float(self.counts @ gaps / self.counts.sum())


def reliability(probabilities: np.ndarray, events: np.ndarray, bins: int = BINS) -> Reliability:
    """The reliability curve over bins of equal width.

    A probability on an edge falls in the lower bin. scikit-learn:
    calibration_curve(strategy="uniform").

    Args:
        probabilities: (n,) in [0, 1], n >= 1.
        events: Whether the event happened (n,).
        bins: How many.
    """
    edges = np.linspace(0, 1, bins + 1)
    number = np.searchsorted(edges[1:-1], probabilities)
    counts = np.bincount(number, minlength=bins)
    full = counts > 0
    sums = [
        np.bincount(number, values, minlength=bins)[full]
        for values in (probabilities.astype(np.float64), events.astype(np.float64))
    ]
    return Reliability(edges, sums[0] / counts[full], sums[1] / counts[full], counts[full])


def predicted_events(outcome: ClassOutcome | LabelOutcome) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities that a model can be held to, and whether each event happened.

    Of two classes the probability of the positive one; of several that of the predicted class, the
    confidence (Guo et al. 2017); of labels every one.

    Returns:
        (n,) and (n,); for l labels (n l,) and (n l,).
    """
    if isinstance(outcome, LabelOutcome):
        return outcome.probabilities.ravel(), outcome.positives.ravel()
    if outcome.probabilities.shape[1] == 2:
        positive = outcome.decision.positive
        return outcome.probabilities[:, positive], outcome.targets == positive
    return outcome.probabilities.max(axis=1), outcome.predicted == outcome.targets


def brier_score(outcome: ClassOutcome | LabelOutcome) -> float:
    """Brier score. mean over rows of sum_k (p_k - y_k)^2; lower is better, 0 is perfect.

    Of two classes half of that, (p - y)^2, as usual; of labels the mean of (p - y)^2 over rows and
    labels. Brier 1950. scikit-learn: brier_score_loss.
    """
    squares = (outcome.probabilities.astype(np.float64) - outcome.positives) ** 2
    if isinstance(outcome, LabelOutcome):
        return float(squares.mean())
    score = squares.sum(axis=1).mean()
    return float(score / 2 if squares.shape[1] == 2 else score)
