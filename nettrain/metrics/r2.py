"""R2, the coefficient of determination."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import MeanMetric
from nettrain.metrics._outcome import ValueOutcome


@dataclass(frozen=True, kw_only=True)
class R2(MeanMetric[ValueOutcome]):
    """R2 score. 1 - sum (predicted - target)^2 / sum (target - mean target)^2.

    The mean over targets. The mean target is that of the rows measured. A constant target gives 1
    if every prediction is exact, else 0. Not defined for a single row. scikit-learn agrees, but
    gives about -1e31 for a constant target whose computed mean differs from it in the last bit.
    """

    outcomes = (ValueOutcome,)
    higher_is_better = True

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

    def undefined_reason(self, outcome: ValueOutcome) -> str:
        return "the targets of one row have no variance to explain: it takes two rows or more"
