"""One mini-batch: gather, forward, backward, update."""
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.backward import backward
from nettrain.autodiff.plan import Plan
from nettrain.autodiff.recording import recording
from nettrain.autodiff.tensor import Tensor
from nettrain.data.part import Part
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.training.build import encoded
from nettrain.training.search_update import SearchUpdate
from nettrain.training.update import Update


@dataclass(frozen=True)
class Recorded:
    """A batch's computation: the sum of the loss over its rows, the new values of the layers' state, the plan that computes both again."""

    total: Tensor
    proposals: dict[str, Tensor]
    plan: Plan


class Step:
    """Trains on the rows it is given; one call is one step of the optimizer.

    The loss of a batch is sum_i w_i L_i / sum_i w_i over its rows, where w_i = 1 if rows have no weights. PyTorch's weighted
    cross_entropy divides by the same sum. A batch whose weights are all 0 has the gradient 0 (in PyTorch NaN).

    The computation is recorded once for each number of rows (the last batch may be shorter) and then replayed. Where a layer looks at
    values to decide what to do, every step runs eagerly instead: `steered` says so. replay=False runs everything eagerly, to the same
    bits.

    More rows than `batch_size` are taken in portions of it, whose gradients are accumulated: that of the mean over all of them.
    The layers' state (running statistics) moves on once a portion; a search's further looks at the same rows do not move it.
    """

    def __init__(
        self, network: Network, loss: Loss, update: Update | SearchUpdate, part: Part, size: int, batch_size: int, *, replay: bool = True
    ) -> None:
        if part.y is None:
            raise ValueError("a part without targets cannot be trained on")
        self.network = network
        self.loss = loss
        self.update = update
        self.steered = False
        targets = encoded(loss, part.y, size, network.dtype)
        self.part = Part(part.x, targets, weights=part.weights)
        self._x = np.empty((batch_size, *part.x.shape[1:]), network.dtype)
        self._y = np.empty((batch_size, *targets.shape[1:]), targets.dtype)
        self._w = None if part.weights is None else np.empty(batch_size, network.dtype)
        self._per_weight = np.empty((), network.dtype)  # 1 / sum of the batch's weights
        self._replay = replay
        self._recorded: dict[int, Recorded] = {}
        self._proposals: dict[str, Tensor] = {}

    def gather(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and encoded targets of the rows, in the batch buffers; a short batch uses their first rows."""
        x, y = self._x[: len(rows)], self._y[: len(rows)]
        self.part.gather(rows, x, y)
        if self._w is not None and self.part.weights is not None:
            weight = self.weight(rows)
            self._w[: len(rows)] = self.part.weights[rows]
            self._per_weight[...] = 1 / weight if weight else 0
        return x, y

    def weight(self, rows: np.ndarray) -> float:
        """The sum of the rows' weights, which divides their loss; how many they are where rows have none."""
        return float(len(rows)) if self.part.weights is None else float(self.part.weights[rows].sum())

    def __call__(self, rows: np.ndarray, lr: float) -> float:
        """The weighted sum of the loss over the rows, before the update. A loss that is not finite updates nothing."""
        if isinstance(self.update, SearchUpdate):
            return self._searched(self.update, rows, lr)
        value = self.accumulated(rows)
        if np.isfinite(value):
            self.update(lr)
        return value

    def portions(self, rows: np.ndarray) -> list[np.ndarray]:
        """The rows in portions that the batch buffers hold."""
        return [rows[start : start + len(self._x)] for start in range(0, len(rows), len(self._x))]

    def accumulated(self, rows: np.ndarray) -> float:
        """The sum of the loss over the rows; the gradient of its mean stands in `network.vector.gradient`, unless it is not finite."""
        portions = self.portions(rows)
        if len(portions) == 1:
            self.gather(rows)
            value = self._computed(len(rows))
            self._commit(value)
            return value
        gradient, total, value = self.network.vector.gradient, np.zeros_like(self.network.vector.gradient), 0.0
        weight = self.weight(rows)
        for shard, portion in enumerate(portions):
            self.gather(portion)
            value += self._computed(len(portion), shard)
            self._commit(value)
            if not np.isfinite(value):
                return value
            gradient *= self.weight(portion) / weight if weight else 0
            total += gradient
        gradient[...] = total
        return value

    def _searched(self, update: SearchUpdate, rows: np.ndarray, lr: float) -> float:
        """A step of an optimizer that asks for the mean loss of these rows at weights of its own choosing."""
        self.gather(rows)
        n, weight = len(rows), self.weight(rows)
        value = self._computed(n, want_gradient=False)
        self._commit(value)
        if np.isfinite(value):
            update(lr, lambda want_gradient: self._computed(n, want_gradient=want_gradient) / weight)
        return value

    def _commit(self, value: float) -> None:
        """Let the layers take over the state that they proposed in what was computed last, unless its loss is not finite."""
        if np.isfinite(value):
            self.network.commit(self._proposals)

    def _computed(self, n: int, shard: int = 0, want_gradient: bool = True) -> float:
        """The sum of the loss over the first n rows of the batch buffers; the gradient of its mean stands in the network's vector."""
        if self._replay and not self.steered:
            return self._replayed(n, shard, want_gradient)
        return self._eager(n, shard, want_gradient)

    def _total(self, n: int, shard: int) -> Tensor:
        """The sum of the loss over the first n rows of the batch buffers; `shard` gives each portion of a step streams of its own."""
        x, y = Tensor(self._x[:n], feed=True), Tensor(self._y[:n], feed=True)
        self._proposals = {}
        outputs = self.network(x, training=True, step=self.update.steps, shard=shard, proposals=self._proposals)
        losses = self.loss.rows(outputs, y)
        return (losses if self._w is None else losses * Tensor(self._w[:n], feed=True)).sum()

    def _mean(self, total: Tensor, n: int) -> Tensor:
        return total * (1 / n) if self._w is None else total * Tensor(self._per_weight, feed=True)

    def _eager(self, n: int, shard: int, want_gradient: bool) -> float:
        total = self._total(n, shard)
        if want_gradient and np.isfinite(total.value):
            backward(self._mean(total, n), into=self.network.slots)
        return total.item()

    def _replayed(self, n: int, shard: int, want_gradient: bool) -> float:
        recorded = self._recorded.get(n) or self._record(n)
        if self.steered:
            return self._eager(n, shard, want_gradient)
        self.network.seek(self.update.steps, shard)
        recorded.plan.forward()
        self._proposals = recorded.proposals
        value = float(recorded.total.value)
        if want_gradient and np.isfinite(value):
            recorded.plan.backward()
        return value

    def _record(self, n: int) -> Recorded:
        with recording() as seen:
            total = self._total(n, 0)
            mean = self._mean(total, n)
        self.steered = seen.steered
        plan = Plan(mean, into=self.network.slots, also=self._proposals.values())
        self._recorded[n] = Recorded(total, self._proposals, plan)
        return self._recorded[n]
