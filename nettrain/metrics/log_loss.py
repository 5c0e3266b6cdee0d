"""Log loss (cross-entropy)."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import Metric
from nettrain.metrics._outcome import ClassOutcome


@dataclass(frozen=True, kw_only=True)
class LogLoss(Metric[ClassOutcome]):
    """Log loss. mean over rows of -ln p_y, in nats; p_y: the probability of the true class y.

    It equals the loss cross_entropy without label smoothing and weights, so that models trained
    with other losses can be compared. p_y is clipped to [eps, 1 - eps], eps being the precision of
    the probabilities, as in scikit-learn: a certain mistake costs 36 nats in float64, not infinity.
    """

    outcomes = (ClassOutcome,)
    higher_is_better = False
    bounds = (0.0, math.inf)

    def value(self, outcome: ClassOutcome) -> float:
        """Returns a number from 0 upwards; k equal probabilities give ln k."""
        return float(self.rows(outcome).mean(dtype=np.float64))

    def rows(self, outcome: ClassOutcome) -> np.ndarray:
        """Returns -ln p_y of each row (n,)."""
        p = outcome.probabilities[np.arange(len(outcome.targets)), outcome.targets]
        eps = np.finfo(p.dtype).eps
        return -np.log(np.clip(p, eps, 1 - eps))

    def resampled(self, outcome: ClassOutcome, samples: np.ndarray) -> np.ndarray:
        """rows^T samples / n."""
        return self.rows(outcome) @ samples / len(samples)

    def sample_cost(self, outcome: ClassOutcome) -> float:
        """One multiplication per row."""
        return 1.0
