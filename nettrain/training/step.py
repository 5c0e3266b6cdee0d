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
from nettrain.training.update import Update


@dataclass(frozen=True)
class Recorded:
    """A batch's computation: the sum of the loss over its rows, and the plan that computes it again."""

    total: Tensor
    plan: Plan


class Step:
    """Trains on the rows it is given; one call is one step of the optimizer.

    The loss of a batch is sum over its rows times 1/n, so that its gradient is that of the mean. The computation is recorded once for
    each number of rows (the last batch may be shorter) and then replayed. Where a layer looks at values to decide what to do, every
    step runs eagerly instead: `steered` says so. replay=False runs everything eagerly, to the same bits.
    """

    def __init__(
        self, network: Network, loss: Loss, update: Update, part: Part, size: int, batch_size: int, *, replay: bool = True
    ) -> None:
        if part.y is None:
            raise ValueError("a part without targets cannot be trained on")
        self.network = network
        self.loss = loss
        self.update = update
        self.steered = False
        encoded = loss.encode(part.y, size)
        encoded = encoded if encoded.dtype.kind == "i" else encoded.astype(network.dtype, copy=False)
        self.part = Part(part.x, encoded)
        self._x = np.empty((batch_size, *part.x.shape[1:]), network.dtype)
        self._y = np.empty((batch_size, *encoded.shape[1:]), encoded.dtype)
        self._replay = replay
        self._recorded: dict[int, Recorded] = {}

    def gather(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and encoded targets of the rows, in the batch buffers; a short batch uses their first rows."""
        x, y = self._x[: len(rows)], self._y[: len(rows)]
        self.part.gather(rows, x, y)
        return x, y

    def __call__(self, rows: np.ndarray, lr: float) -> float:
        """The sum of the loss over the rows, before the update. A loss that is not finite updates nothing."""
        self.gather(rows)
        value = self._replayed(len(rows)) if self._replay and not self.steered else self._eager(len(rows))
        if np.isfinite(value):
            self.update(lr)
        return value

    def _total(self, n: int) -> Tensor:
        """The sum of the loss over the first n rows of the batch buffers."""
        x, y = Tensor(self._x[:n], feed=True), Tensor(self._y[:n], feed=True)
        return self.loss.rows(self.network(x, training=True, step=self.update.steps), y).sum()

    def _eager(self, n: int) -> float:
        total = self._total(n)
        if np.isfinite(total.value):
            backward(total * (1 / n), into=self.network.slots)
        return total.item()

    def _replayed(self, n: int) -> float:
        recorded = self._recorded.get(n) or self._record(n)
        if self.steered:
            return self._eager(n)
        self.network.seek(self.update.steps)
        recorded.plan.forward()
        value = float(recorded.total.value)
        if np.isfinite(value):
            recorded.plan.backward()
        return value

    def _record(self, n: int) -> Recorded:
        with recording() as seen:
            total = self._total(n)
            mean = total * (1 / n)
        self.steered = seen.steered
        self._recorded[n] = Recorded(total, Plan(mean, into=self.network.slots))
        return self._recorded[n]
