"""Pinball loss of predicted quantiles."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.metrics._outcome import ValueOutcome
from nettrain.metrics._spread import SpreadMetric


@dataclass(frozen=True, kw_only=True)
class PinballLoss(SpreadMetric):
    """Pinball loss. mean over rows and quantiles of max(q (y - z), (q - 1) (y - z)); then the mean
    over targets.

    In units of the target. Not defined where no quantiles are predicted. It is smallest for the
    true quantiles: what is too wide and what covers too little both cost. scikit-learn's
    mean_pinball_loss, averaged over the quantiles.
    """

    higher_is_better = False
    bounds = (0.0, math.inf)

    def measured(self, outcome: ValueOutcome) -> np.ndarray | None:
        """Returns the mean over quantiles for each row and target (n, t)."""
        if outcome.quantiles is None:
            return None
        q = np.array(outcome.levels)[:, np.newaxis]
        error = np.subtract(outcome.targets[:, np.newaxis], outcome.quantiles, dtype=np.float64)
        return np.maximum(q * error, (q - 1) * error).mean(axis=1)
