"""Stochastic weight averaging: the mean of the weights at the ends of late epochs."""

import dataclasses

import numpy as np

from nettrain.autodiff.tensor import Tensor
from nettrain.data.rows.base import LazyRows
from nettrain.nn.layer import Output
from nettrain.nn.network import Network
from nettrain.nn.vector import ParameterVector


class StochasticAverage:
    """Stochastic weight averaging. a = mean of w over the ends of epochs start, start + every ...

    All count alike. Izmailov et al. 2018, "Averaging weights leads to wider optima and better
    generalization", Algorithm 1: with a constant or cyclic rate, of which `every` is the cycle, it
    lies in the middle of a flat region. PyTorch: AveragedModel.

    Args:
        vector: Holds the weights.
        start: The first epoch whose weights enter, from 1.
        every: Epochs from one to the next.
        steps_per_epoch: Steps of an epoch.
    """

    def __init__(
        self, vector: ParameterVector, *, start: int, every: int, steps_per_epoch: int
    ) -> None:
        self.vector = vector
        self.values = vector.values.copy()
        self._start, self._every, self._steps = start, every, steps_per_epoch

    def count(self, t: int) -> int:
        """How many weights are averaged after t steps; 0: there is no average yet."""
        epochs = t // self._steps - self._start
        return 0 if epochs < 0 else epochs // self._every + 1

    def enters(self, t: int) -> bool:
        """Whether the weights of step t, counted from 1, are averaged."""
        epoch, rest = divmod(t, self._steps)
        return rest == 0 and epoch >= self._start and (epoch - self._start) % self._every == 0

    def update(self, t: int) -> None:
        """Include the weights of step t, counted from 1, if they are averaged."""
        if self.enters(t):
            n = self.count(t)
            if n == 1:
                self.values[...] = self.vector.values
            else:
                self.values += (self.vector.values - self.values) / n


def recomputed_statistics(
    network: Network, x: np.ndarray | LazyRows, batch_size: int
) -> dict[str, np.ndarray]:
    """The layers' state with running statistics of the weights that a network holds.

    The mean over batches of the training rows, in their order and in training mode, of each batch's
    statistics: those of averaged weights are no average. PyTorch: swa_utils.update_bn.

    Args:
        network: Is not changed.
        x: The training rows.
        batch_size: Rows of a batch.
    """
    found = {name: array.copy() for name, array in network.state.items()}
    for count, start in enumerate(range(0, len(x), batch_size)):
        rows = x[start : start + batch_size]
        proposals: dict[str, Tensor] = {}
        outputs: list[Output] = []
        scope = network.scope(training=True, step=count, proposals=proposals)
        scope = dataclasses.replace(scope, watch=outputs.append)
        scope.forward(
            [(bound.name, bound.layer) for bound in network.layers],
            Tensor(np.asarray(rows, network.dtype)),
        )
        momenta = {one.path: getattr(one.layer, "momentum", None) for one in outputs}
        moved = {name: momenta.get(name.rpartition(".")[0]) for name in proposals}
        for name, momentum in moved.items():
            if momentum is not None:
                old, new = network.state[name], proposals[name].value
                of_batch = old + (new - old) / momentum
                found[name] += (of_batch - found[name]) / (count + 1)
    return found
