"""The base of all losses: one number a row, so that means, sample weights and class weights are defined once, outside."""

import math
from abc import abstractmethod
from typing import ClassVar

import numpy as np

from nettrain.autodiff.tensor import Tensor
from nettrain.component import Component


class Loss(Component):
    """What training makes small: the mean over rows of `rows`.

    tasks        which targets the loss takes: classification, regression, multilabel
    applies_activation     the activations that the loss applies itself: as the network's last layer they would be applied twice
    raw_targets  whether numbers stay in their own units: target transforms would make them no counts, no probabilities
    lower_bound  no row has a lower loss
    """

    kind = "loss"
    package = "nettrain.losses"
    tasks: ClassVar[tuple[str, ...]]
    applies_activation: ClassVar[tuple[str, ...]] = ()
    raw_targets: ClassVar[bool] = False
    lower_bound: ClassVar[float] = -math.inf

    @abstractmethod
    def outputs(self, task: str, size: int) -> int:
        """How many outputs the network needs for `size` classes, labels or target columns."""

    def validate_targets(self, targets: np.ndarray) -> tuple[int, str] | None:
        """The first row of numeric targets (n, t) that the loss cannot take, and why; None where all are good."""
        return None

    @abstractmethod
    def encode(self, targets: np.ndarray, size: int) -> np.ndarray:
        """The targets as `rows` wants them, from codes (n,) of `size` classes, labels (n, l) or values (n, t)."""

    @abstractmethod
    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss of each row (n,), in the unit that the docstring names. outputs (n, o)."""

    @abstractmethod
    def predictions(self, outputs: np.ndarray, task: str) -> np.ndarray:
        """What outputs (n, o) mean, in float64: probabilities (n, k) of classes, (n, l) of labels, or values (n, t)."""
