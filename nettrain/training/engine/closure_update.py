"""The update by an optimizer that asks for the loss itself."""

from collections.abc import Callable

import numpy as np

from nettrain import streams
from nettrain.config.run_config import Regularization
from nettrain.nn.vector import ParameterVector
from nettrain.optim import ClosureOptimizer
from nettrain.schedules import RunLength
from nettrain.training.engine.ema import Average
from nettrain.training.engine.penalty import Penalty
from nettrain.training.engine.swa import StochasticAverage


class ClosureUpdate:
    """One step after another over the whole trained vector.

    slots, steps, average  as those of `Update`
    """

    def __init__(
        self,
        vector: ParameterVector,
        optimizer: ClosureOptimizer,
        regularization: Regularization,
        *,
        seed: int,
        average: Average | StochasticAverage | None = None,
        length: RunLength | None = None,
    ) -> None:
        self.vector = vector
        self.optimizer = optimizer
        self.average = average
        self.steps = 0
        self.slots = optimizer.state(vector.trainable.stop, vector.values.dtype)
        self._penalty = Penalty(vector, regularization, length=length)
        self._seed = seed

    def penalty(self) -> float:
        """l1 sum |theta| + l2 sum theta^2 over the decayed parameters, as in the last step."""
        self._penalty.seek(max(self.steps - 1, 0))
        return self._penalty.value()

    def __call__(self, lr: float, mean_loss: Callable[[bool], float]) -> None:
        """Make one step. The penalties are added here.

        Args:
            lr: The learning rate.
            mean_loss: Returns the loss of the weights that the vector holds; with True it also
                writes its gradient into `vector.gradient`.
        """
        self._penalty.seek(self.steps)
        vector = self.vector
        weights, g = vector.values[vector.trainable], vector.gradient[vector.trainable]
        w = weights.copy()

        def evaluate(params: np.ndarray, gradient: np.ndarray | None = None) -> float:
            weights[...] = params
            value = mean_loss(gradient is not None) + self._penalty.value()
            if gradient is not None:
                n = vector.decayed.stop
                self._penalty.add_gradient(weights[:n], g[:n], np.empty_like(g[:n]))
                gradient[...] = g
            return value

        chance = streams.generator(self._seed, "optimizer", self.steps)
        self.optimizer.minimise(w, self.slots, evaluate, lr=lr, t=self.steps + 1, generator=chance)
        weights[...] = w
        self.steps += 1
        if self.average is not None:
            self.average.update(self.steps)
