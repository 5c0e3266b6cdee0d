"""R2, the coefficient of determination."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import MeanMetric, mean_of_defined, product_cost
from nettrain.metrics._outcome import ValueOutcome

EPSILON = 1e-12


@dataclass(frozen=True, kw_only=True)
class R2(MeanMetric[ValueOutcome]):
    """R2 score. 1 - sum (predicted - target)^2 / sum (target - mean target)^2.

    The mean over targets. The mean target is that of the rows measured. A constant target gives 1
    if every prediction is exact, else 0. Not defined for a single row. scikit-learn agrees, but
    gives about -1e31 for a constant target whose computed mean differs from it in the last bit.
    """

    outcomes = (ValueOutcome,)
    higher_is_better = True
    bounds = (-math.inf, 1.0)

    def each(self, outcome: ValueOutcome) -> np.ndarray:
        """Returns the R2 score of each target (t,); NaN for a single row."""
        targets = outcome.targets.astype(np.float64, copy=False)
        if len(targets) < 2:
            return np.full(targets.shape[1], np.nan)
        residual = np.square(outcome.errors).sum(axis=0)
        total = np.square(targets - targets.mean(axis=0)).sum(axis=0)
        varies = (targets != targets[0]).any(axis=0)
        constant = np.where(residual == 0, 1.0, 0.0)
        return 1 - np.divide(residual, total, out=1 - constant, where=varies & (total > 0))

    def resampled(self, outcome: ValueOutcome, samples: np.ndarray) -> np.ndarray:
        """1 - sum e^2 / (sum d^2 - (sum d)^2 / n), d: distances from the mean of all rows."""
        n = len(samples)
        targets = outcome.targets.astype(np.float64, copy=False)
        distances = targets - targets.mean(axis=0)
        squares = np.square(distances).T @ samples
        total = squares - np.square(distances.T @ samples) / n
        residual = np.square(outcome.errors).T @ samples
        varies = total > EPSILON * squares  # below it only rounding is left: a constant sample
        constant = np.where(residual == 0, 1.0, 0.0)
        r2 = 1 - np.divide(residual, total, out=1 - constant, where=varies)
        return mean_of_defined(r2 if n > 1 else np.full_like(r2, math.nan))

    def sample_cost(self, outcome: ValueOutcome) -> float:
        """Three products of matrices for all targets."""
        return 3 * product_cost(outcome.targets.shape[1])

    def undefined_reason(self, outcome: ValueOutcome) -> str:
        return "the targets of one row have no variance to explain: it takes two rows or more"
