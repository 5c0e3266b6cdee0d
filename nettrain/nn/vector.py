"""All parameters of a network in one contiguous vector, with a view for each name: an update is then a few calls, whatever the depth."""

import math
from collections.abc import Mapping

import numpy as np

from nettrain.nn.parameter import Parameter, Shape


class ParameterVector:
    """`values` and `gradient`, two flat vectors of one layout: what l1 and l2 apply to, then what else is trained, then what is frozen.

    views, gradient_views  by full name (`dense_1.w`), in the network's order: views into the vectors, never copies
    decayed, trainable     the slices of the vectors that l1 and l2 apply to, and that training changes; both start at 0
    rates                  (slice, what multiplies the learning rate there), one after the other, over all of `trainable`
    """

    def __init__(self, parameters: Mapping[str, Parameter], dtype: np.dtype) -> None:
        self._places: dict[str, tuple[slice, Shape]] = {}
        self.rates: list[tuple[slice, float]] = []
        decayed = trainable = start = 0
        for name in sorted(
            parameters, key=lambda name: _group(parameters[name])
        ):  # stable: the network's order within each group
            p = parameters[name]
            stop = start + math.prod(p.shape)
            self._places[name] = (slice(start, stop), p.shape)
            if p.trainable:
                trainable = stop
                self._add_rate(start, stop, p.rate)
                decayed = stop if p.decayed else decayed
            start = stop
        self._names = tuple(parameters)
        self.frozen = frozenset(name for name in parameters if not parameters[name].trainable)
        self.decayed = slice(0, decayed)
        self.trainable = slice(0, trainable)
        self.values = np.zeros(start, dtype)
        self.gradient = np.zeros(start, dtype)
        self.views = self.named(self.values)
        self.gradient_views = self.named(self.gradient)

    def _add_rate(self, start: int, stop: int, rate: float) -> None:
        """Neighbours of the same rate are one slice: an update is then as few calls as can be."""
        if self.rates and self.rates[-1][1] == rate:
            start = self.rates.pop()[0].start
        self.rates.append((slice(start, stop), rate))

    def named(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """The views, by name and in the network's order, into any vector of this layout."""
        return {
            name: flat[self._places[name][0]].reshape(self._places[name][1]) for name in self._names
        }

    def __len__(self) -> int:
        return len(self.values)


def _group(parameter: Parameter) -> int:
    """0: decayed, 1: trained but not decayed, 2: frozen."""
    return (0 if parameter.decayed else 1) if parameter.trainable else 2
