"""The update of the flat parameter vector: clipping, penalties, and the optimizer's rule, in blocks that stay in the cache."""
import math

import numpy as np

from nettrain.config.run_config import Regularization
from nettrain.nn.vector import ParameterVector
from nettrain.optim import Optimizer

BLOCK = 32768  # elements; with its slots and work a block of float32 fits a core's second-level cache


class Update:
    """One step after another: the loss's gradient, clipped, plus that of the penalties, handed to the optimizer.

    slots  the optimizer's state, a vector as long as the parameters by name
    steps  how many have been made
    """

    def __init__(
        self, vector: ParameterVector, optimizer: Optimizer, regularization: Regularization, clip_norm: float | None = None
    ) -> None:
        self.vector = vector
        self.optimizer = optimizer
        self.regularization = regularization
        self.clip_norm = clip_norm
        self.slots = {name: np.zeros_like(vector.values) for name in optimizer.slots}
        self.steps = 0
        self._work = [np.empty(min(BLOCK, len(vector)), vector.values.dtype) for _ in range(max(1, optimizer.work))]

    def penalty(self) -> float:
        """l1 sum |theta| + l2 sum theta^2 over the decayed parameters."""
        weights = self.vector.values[self.vector.decayed]
        l1, l2 = self.regularization.l1, self.regularization.l2
        return (l1 * float(np.abs(weights).sum(dtype=np.float64)) if l1 else 0.0) + (
            l2 * float(np.square(weights).sum(dtype=np.float64)) if l2 else 0.0
        )

    def __call__(self, lr: float) -> None:
        """One step from `vector.gradient`, which is used up."""
        self.steps += 1
        w, g = self.vector.values, self.vector.gradient
        self._clip(g)
        for start in range(0, len(w), BLOCK):
            block = slice(start, min(start + BLOCK, len(w)))
            work = [buffer[: block.stop - start] for buffer in self._work]
            self._penalize(w, g, slice(start, min(block.stop, self.vector.decayed.stop)), work[0])
            slots = {name: slot[block] for name, slot in self.slots.items()}
            self.optimizer.update(w[block], g[block], slots, work, lr=lr, t=self.steps)

    def _clip(self, g: np.ndarray) -> None:
        """g shortened to clip_norm if it is longer.  Pascanu et al. 2013, Algorithm 1; like PyTorch before any weight decay."""
        if self.clip_norm is not None:
            norm = math.sqrt(float(np.dot(g, g)))
            if norm > self.clip_norm:
                g *= self.clip_norm / norm

    def _penalize(self, w: np.ndarray, g: np.ndarray, block: slice, work: np.ndarray) -> None:
        """g += 2 l2 theta + l1 sign(theta), on the decayed part of a block."""
        if block.stop <= block.start:
            return
        part = work[: block.stop - block.start]
        if self.regularization.l2:
            g[block] += np.multiply(w[block], 2 * self.regularization.l2, out=part)
        if self.regularization.l1:
            np.sign(w[block], out=part)
            part *= self.regularization.l1
            g[block] += part
