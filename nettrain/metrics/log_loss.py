"""Log loss: how far the probabilities can be trusted."""

from dataclasses import dataclass

import numpy as np

from nettrain.metrics._metric import Metric
from nettrain.metrics._outcome import ClassOutcome


@dataclass(frozen=True, kw_only=True)
class LogLoss(Metric[ClassOutcome]):
    """mean over rows of -ln p_y, in nats; p: the probability given to the true class y, kept within [eps, 1 - eps].

    It is the loss cross_entropy without label smoothing and weights, so that models trained with other losses can be compared.
    eps is the precision of the probabilities, as in scikit-learn: a certain mistake costs 36 nats in float64, not infinity.
    """

    outcomes = (ClassOutcome,)
    higher_is_better = False

    def value(self, outcome: ClassOutcome) -> float:
        """From 0 upwards; ln k is what k equal probabilities reach."""
        p = outcome.probabilities[np.arange(len(outcome.targets)), outcome.targets]
        eps = np.finfo(p.dtype).eps
        return float(-np.log(np.clip(p, eps, 1 - eps)).mean(dtype=np.float64))
