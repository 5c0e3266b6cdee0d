"""AdaBoost SAMME: what the next member has to learn, and how much each one's vote counts."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Round:
    """One round of boosting.

    Attributes:
        error: e, the fraction of the rows' weight that the member gets wrong.
        weight: alpha, of its vote.
        weights: Of the rows in the next round, (n,), with the same sum as before.
    """

    error: float
    weight: float
    weights: np.ndarray

    @property
    def perfect(self) -> bool:
        """Whether no row is wrong: the weights stay, and every further member would be the same."""
        return self.error == 0


def boosting_round(weights: np.ndarray, wrong: np.ndarray, classes: int) -> Round | None:
    """AdaBoost SAMME. alpha = log((1 - e) / e) + log(k - 1);  w_i <- w_i exp(alpha [wrong_i]).

    Zhu, Zou, Rosset & Hastie 2009, "Multi-class AdaBoost", Algorithm 2. Where e = 0, alpha would be
    infinite and silence all others; the member counts as one with half a row wrong (scikit-learn
    gives it the weight 1).

    Args:
        weights: Of the rows, (n,).
        wrong: Whether each row is wrong, (n,) bool.
        classes: k.

    Returns:
        None where e >= 1 - 1/k: the member is no better than chance, and alpha not positive.
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
