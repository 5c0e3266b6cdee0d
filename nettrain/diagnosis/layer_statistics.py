"""Statistics of layers: norms of gradients, weights and updates, dead and saturated units."""

import math

import numpy as np

from nettrain.autodiff.backward import backward
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.tensor import Tensor
from nettrain.autodiff.trace import recording
from nettrain.nn.activation import Activation
from nettrain.nn.layer import Output
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network

# Of the width between an activation's bounds: that near to one, the derivative of sigmoid and tanh
# is at most 4 % of its maximum.
NEAR = 0.01
MOSTLY = 0.9  # of the rows on which a saturated unit is near a bound: such a unit hardly learns

Statistics = dict[str, dict[str, float]]


class LayerStatistics:
    """Looks at a network in evaluation mode, always on the same rows.

    Nothing that training uses is changed: no weight, gradient, running statistic or random stream.

    Args:
        network: That is looked at.
        loss: Whose gradient is measured.
        x: Inputs (n, ...).
        y: Encoded targets (n, ...).
        weights: Of the rows in the loss (n,); None: all equal.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        x: np.ndarray,
        y: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> None:
        self._network = network
        self._loss = loss
        self._x, self._y = Tensor(x), Tensor(y)
        weights = np.ones(len(x)) if weights is None else weights
        self._shares = Tensor((weights / (weights.sum() or 1)).astype(network.dtype))
        gradients = network.vector.named(np.zeros_like(network.vector.gradient))
        self._gradients = {
            name: view for name, view in gradients.items() if name not in network.vector.frozen
        }
        self._slots = {network.parameters[name]: view for name, view in self._gradients.items()}
        self._plan: Plan | None = None
        self._outputs: list[Output] = []

    def layers(self) -> Statistics:
        """The statistics of every layer that has any, by path, in the order of the forward pass.

        Returns:
            gradient_norm: |g|_2 over the layer's trained parameters, of the mean loss over the
                rows, without penalties, before any clipping.
            weight_norm: |theta|_2 over its parameters.
            dead, saturated: Fractions of the units of an activation; a unit is one place of the
                last axis, over all rows and other axes.
        """
        with np.errstate(all="ignore"):  # what is not finite is a finding here
            self._compute()
            found: Statistics = {output.path: {} for output in self._outputs}
            for path, norm in norms(self._gradients).items():
                found.setdefault(path, {})["gradient_norm"] = norm
            for path, norm in norms(self._network.vector.views).items():
                found.setdefault(path, {})["weight_norm"] = norm
            for output in self._outputs:
                if output.layer.activates is not None:
                    found[output.path] |= unit_shares(output.layer.activates, output.value.value)
        return {path: figures for path, figures in found.items() if figures}

    def _compute(self) -> None:
        """Every output and gradient for the current weights; recorded once, then replayed."""
        if self._plan is not None:
            self._plan.forward()
            self._plan.backward()
            return
        with recording() as seen:
            y, self._outputs = self._network.watched(self._x)
            mean = (self._loss.rows(y, self._y) * self._shares).sum()
        backward(mean, into=self._slots)
        if not seen.data_dependent:
            self._plan = Plan(mean, into=self._slots)


def update_ratios(network: Network, before: np.ndarray) -> dict[str, float]:
    """|theta - theta before|_2 / |theta before|_2 of each layer; about 1e-3 per step is usual.

    A layer whose weights were all 0 has none.
    """
    vector = network.vector
    with np.errstate(all="ignore"):
        moved = norms(vector.named(vector.values - before))
        from_where = norms(vector.named(before))
    return {path: moved[path] / norm for path, norm in from_where.items() if norm > 0}


def norms(views: dict[str, np.ndarray]) -> dict[str, float]:
    """|.|_2 over all arrays of each layer; arrays by full name, `dense_1.w`."""
    squares: dict[str, float] = {}
    for name, view in views.items():
        path = name.rpartition(".")[0]
        squares[path] = squares.get(path, 0.0) + _square(view.reshape(-1))
    return {path: math.sqrt(square) for path, square in squares.items()}


def unit_shares(activation: Activation, y: np.ndarray) -> dict[str, float]:
    """The fractions of dead and of saturated units of an activation.

    Args:
        activation: Its kind says which it can have.
        y: Its outputs (n, ..., units), or (n, k, units) of k members.
    """
    members = y.ndim == 3  # (n, k, units): each member has units of its own
    y = y.reshape(len(y), -1) if members else y.reshape(-1, y.shape[-1])
    shares = {}
    if activation.rectifies:
        shares["dead"] = float((y == 0).all(axis=0).mean())
    if activation.bounds is not None:
        low, high = activation.bounds
        margin = NEAR * (high - low)
        near = (y <= low + margin) | (y >= high - margin)
        shares["saturated"] = float((near.mean(axis=0) >= MOSTLY).mean())
    return shares


def _square(a: np.ndarray) -> float:
    """a . a, in float64 where float32 cannot hold it."""
    with np.errstate(over="ignore", under="ignore"):
        found = float(np.dot(a, a))
    if 1e-30 < found < math.inf:
        return found
    wide = a.astype(np.float64)
    return float(np.dot(wide, wide))
