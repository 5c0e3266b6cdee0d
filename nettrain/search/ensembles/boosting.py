"""AdaBoost SAMME: what the next member has to learn, and how much each one's vote counts."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Round:
    """What one member's mistakes come to.

    error    e, the share of the rows' weight that it decides wrongly
    weight   alpha, of its vote
    weights  (n,) of the rows in the next round, of the same sum as before
    """

    error: float
    weight: float
    weights: np.ndarray

    @property
    def perfect(self) -> bool:
        """Nothing is left to learn: the rows' weights stay, and every further member would be the same."""
        return self.error == 0


def boosting_round(weights: np.ndarray, wrong: np.ndarray, classes: int) -> Round | None:
    """alpha = log((1 - e) / e) + log(k - 1);  w_i <- w_i exp(alpha [wrong_i]).  weights (n,), wrong (n,) of truth values, k classes.

    None where e >= 1 - 1/k: the member is no better than chance, alpha would not be positive. Where e = 0 alpha would be infinite and
    silence all others; the member counts as one with half a row wrong. Zhu, Zou, Rosset & Hastie 2009, "Multi-class AdaBoost",
    Algorithm 2; scikit-learn gives a perfect member the weight 1.
    """
    error = float(weights[wrong].sum() / weights.sum())
    if error >= 1 - 1 / classes:
        return None
    counted = error or 0.5 / len(weights)
    alpha = math.log((1 - counted) / counted) + math.log(classes - 1)
    if error == 0:
        return Round(error, alpha, weights)
    grown = weights * np.exp(alpha * wrong)
    return Round(error, alpha, grown * (weights.sum() / grown.sum()))
