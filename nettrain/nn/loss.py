"""The base of all losses: one number per row; means and weights are applied outside."""

import math
from abc import abstractmethod
from typing import ClassVar, Literal

import numpy as np

from nettrain.autodiff.tensor import Tensor, broadcast
from nettrain.component import Component

Predicted = Literal["values", "softmax", "sigmoid", "exponential"]


class Loss(Component):
    """The function that training minimises: the mean over rows of `rows`.

    Attributes:
        tasks: the targets that it takes: classification, regression, multilabel.
        applies_activation: the activations that the loss applies itself: as the last layer of the
            network they would be applied twice.
        raw_targets: whether numbers keep their own units: target transforms would turn counts or
            probabilities into other numbers.
        predicts: what `inverse_link` makes of outputs; networks of several members average it.
        lower_bound: the smallest value of a row, if there is one.
    """

    kind = "loss"
    package = "nettrain.losses"
    tasks: ClassVar[tuple[str, ...]]
    applies_activation: ClassVar[tuple[str, ...]] = ()
    raw_targets: ClassVar[bool] = False
    predicts: ClassVar[Predicted] = "values"
    lower_bound: ClassVar[float] = -math.inf

    @property
    def levels(self) -> tuple[float, ...]:
        """The probabilities of the quantiles that outputs are, rising; empty: they are none.

        Predictions are then (n, k t): the t targets at the first quantile, at the second ...
        """
        return ()

    @abstractmethod
    def outputs(self, task: str, size: int) -> int:
        """Returns the number of outputs that the network needs.

        Args:
            task: classification, regression or multilabel.
            size: the number of classes, target columns or labels.
        """

    def validate_targets(self, targets: np.ndarray) -> tuple[int, str] | None:
        """Returns the first row of numeric targets (n, t) that is invalid, and why, or None."""
        return None

    @abstractmethod
    def encode(self, targets: np.ndarray, size: int) -> np.ndarray:
        """Returns the targets in the form that `rows` takes.

        Args:
            targets: codes (n,) of classes, labels (n, l) or values (n, t).
            size: the number of classes, labels or target columns.
        """

    @abstractmethod
    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns the loss of each row (n,), in the documented unit, for outputs (n, o)."""

    def training_rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns the loss of each row (n,) for the outputs of training mode.

        They are (n, o), or (n, k, o) of k members: then it is the mean of the members' losses, not
        the loss of their mean, so that each learns by itself.
        """
        if outputs.ndim == 2:
            return self.rows(outputs, targets)
        n, k, o = outputs.shape
        of_row, shape = targets.shape[1:], (n, k, *targets.shape[1:])
        repeated = broadcast(targets.reshape(n, 1, *of_row), shape).reshape(n * k, *of_row)
        return self.rows(outputs.reshape(n * k, o), repeated).reshape(n, k).mean(axis=1)

    @abstractmethod
    def inverse_link(self, outputs: Tensor, task: str) -> Tensor:
        """Returns the predictions that outputs (n, o) stand for.

        They are probabilities (n, k) of classes or (n, l) of labels, or values (n, t), of k
        quantiles (n, k t). Computed from tensors, so that an exported model computes them too.
        """

    def predictions(self, outputs: np.ndarray, task: str) -> np.ndarray:
        """Returns the predictions that outputs (n, o) stand for, in float64."""
        return self.inverse_link(Tensor(outputs, dtype=np.float64), task).value
