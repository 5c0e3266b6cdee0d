"""One mini-batch: gather, forward, backward, update."""
import numpy as np

from nettrain.autodiff.backward import backward
from nettrain.autodiff.tensor import Tensor
from nettrain.data.part import Part
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.training.update import Update


class Step:
    """Trains on the rows it is given; one call is one step of the optimizer.

    The loss of a batch is sum over its rows times 1/n, so that its gradient is that of the mean.
    """

    def __init__(self, network: Network, loss: Loss, update: Update, part: Part, size: int, batch_size: int) -> None:
        if part.y is None:
            raise ValueError("a part without targets cannot be trained on")
        self.network = network
        self.loss = loss
        self.update = update
        encoded = loss.encode(part.y, size)
        self.part = Part(part.x, encoded if encoded.dtype.kind == "i" else encoded.astype(network.dtype, copy=False))
        assert self.part.y is not None
        self._x = np.empty((batch_size, *part.x.shape[1:]), network.dtype)
        self._y = np.empty((batch_size, *self.part.y.shape[1:]), self.part.y.dtype)

    def gather(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and encoded targets of the rows, in the batch buffers; a short batch uses their first rows."""
        x, y = self._x[: len(rows)], self._y[: len(rows)]
        self.part.gather(rows, x, y)
        return x, y

    def __call__(self, rows: np.ndarray, lr: float) -> float:
        """The sum of the loss over the rows, before the update. A loss that is not finite updates nothing."""
        x, y = self.gather(rows)
        outputs = self.network(Tensor(x), training=True, step=self.update.steps)
        total = self.loss.rows(outputs, Tensor(y)).sum()
        value = total.item()
        if np.isfinite(value):
            backward(total * (1 / len(rows)), into=self.network.slots)
            self.update(lr)
        return value
