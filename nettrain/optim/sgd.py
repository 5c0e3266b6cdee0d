"""Stochastic gradient descent."""

from dataclasses import dataclass

import numpy as np

from nettrain.optim import Rate, Rule


@dataclass(frozen=True, kw_only=True)
class Sgd(Rule):
    """w -= lr g.  Robbins & Monro 1951."""

    lr: Rate = 0.1

    def update(
        self,
        w: np.ndarray,
        g: np.ndarray,
        slots: dict[str, np.ndarray],
        work: list[np.ndarray],
        *,
        lr: float,
        t: int,
    ) -> None:
        """W -= lr g."""
        step = np.multiply(g, lr, out=work[0])
        w -= step
