"""Poisson loss, for counts."""

from dataclasses import dataclass

import numpy as np

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.losses._value_loss import ValueLoss


@dataclass(frozen=True, kw_only=True)
class Poisson(ValueLoss):
    """Poisson loss. L = 1/t sum_j e^z_j - y_j z_j.

    z (n, t): the logarithms of the rates, y (n, t): counts; nats per target. The negative
    log-likelihood of P(y) = e^(yz - e^z) / y! without ln y!, which no weight changes: L may be
    negative. The prediction is the rate e^z, so targets stay counts (no target transforms); a
    negative one is an error. As PyTorch's PoissonNLLLoss; Keras takes rates instead of their
    logarithms.
    """

    raw_targets = True
    predicts = "exponential"

    def validate_targets(self, targets: np.ndarray) -> tuple[int, str] | None:
        rows, columns = np.nonzero(targets < 0)
        return (
            (int(rows[0]), f"{targets[rows[0], columns[0]]:g} is no count, which is 0 or more")
            if rows.size
            else None
        )

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (f.exp(outputs) - targets * outputs).mean(axis=1)

    def inverse_link(self, outputs: Tensor, task: str) -> Tensor:
        with np.errstate(over="ignore"):  # an infinite rate shows in the metrics
            return f.exp(outputs)
