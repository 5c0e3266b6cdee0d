"""One step of training: gather a batch, compute its loss and gradient, update."""
from collections.abc import Callable

import numpy as np

from nettrain.autodiff.shards import Together
from nettrain.data.part import Part
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.training.batch import Batch
from nettrain.training.build import encoded
from nettrain.training.computation import Computation
from nettrain.training.search_update import SearchUpdate
from nettrain.training.update import Update
from nettrain.training.workers import one_after_the_other


class Step:
    """Trains on the rows it is given; one call is one step of the optimizer.

    The loss of a batch is sum_i w_i L_i / sum_i w_i over its rows, where w_i = 1 if rows have no weights. PyTorch's weighted
    cross_entropy divides by the same sum. A batch whose weights are all 0 has the gradient 0 (in PyTorch NaN).

    More rows than `batch_size` are taken in portions of it, whose gradients are accumulated: that of the mean over all of them.
    The layers' state (running statistics) moves on once a portion; a search's further looks at the same rows do not move it.

    gather, compute, apply  what a step calls one after the other: of the batch, the computation, the update. A profile clocks them
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        update: Update | SearchUpdate,
        part: Part,
        size: int,
        batch_size: int,
        *,
        shards: int = 1,
        together: Together = one_after_the_other,
        replay: bool = True,
    ) -> None:
        if part.y is None:
            raise ValueError("a part without targets cannot be trained on")
        self.network = network
        self.update = update
        self.part = Part(part.x, encoded(loss, part.y, size, network.dtype), weights=part.weights)
        self.batch = Batch(self.part, batch_size, network.dtype)
        self.computation = Computation(network, loss, self.batch, shards=shards, together=together, replay=replay)
        self._total: np.ndarray | None = None
        self.gather = self.batch.gather
        self.compute = self.computation.__call__
        self.apply: Callable[..., None] = update.__call__

    def weight(self, rows: np.ndarray) -> float:
        """The sum of the rows' weights, which divides their loss; how many they are where rows have none."""
        return self.batch.weight(rows)

    def portions(self, rows: np.ndarray) -> list[np.ndarray]:
        """The rows in portions that the batch's buffers hold."""
        return [rows[start : start + len(self.batch)] for start in range(0, len(rows), len(self.batch))]

    def __call__(self, rows: np.ndarray, lr: float) -> float:
        """The weighted sum of the loss over the rows, before the update. A loss that is not finite updates nothing."""
        if isinstance(self.update, SearchUpdate):
            return self._searched(self.update, rows, lr)
        portions = self.portions(rows)
        value = self._portion(rows, 0) if len(portions) == 1 else self._accumulated(rows, portions)
        if np.isfinite(value):
            self.apply(lr)
        return value

    def _portion(self, rows: np.ndarray, portion: int, *, want_gradient: bool = True) -> float:
        """The loss of rows that the buffers hold; the gradient of their mean stands in `network.vector.gradient`."""
        self.gather(rows)
        value = self.compute(len(rows), step=self.update.steps, portion=portion, want_gradient=want_gradient)
        if np.isfinite(value):
            self.computation.commit()
        return value

    def _accumulated(self, rows: np.ndarray, portions: list[np.ndarray]) -> float:
        """The loss of all portions; the gradient of their mean stands in `network.vector.gradient`, unless it is not finite."""
        gradient, value = self.network.vector.gradient, 0.0
        if self._total is None:
            self._total = np.empty_like(gradient)
        total = self._total
        total.fill(0)
        weight = self.weight(rows)
        for i, portion in enumerate(portions):
            value += self._portion(portion, i)
            if not np.isfinite(value):
                return value
            gradient *= self.weight(portion) / weight if weight else 0
            total += gradient
        gradient[...] = total
        return value

    def _searched(self, update: SearchUpdate, rows: np.ndarray, lr: float) -> float:
        """A step of an optimizer that asks for the mean loss of these rows at weights of its own choosing."""
        value = self._portion(rows, 0, want_gradient=False)
        n, weight, step = len(rows), self.weight(rows), update.steps
        if np.isfinite(value):
            self.apply(lr, lambda want_gradient: self.compute(n, step=step, want_gradient=want_gradient) / weight)
        return value
