"""All parameters of a network in one contiguous vector, with a view per name."""

import math
from collections.abc import Mapping

import numpy as np

from nettrain.nn.parameter import Parameter, Shape
from nettrain.pages import long_zeros


class ParameterVector:
    """Two flat vectors of one layout, so that an update takes a few calls, whatever the depth.

    The layout: parameters that l1 and l2 apply to, then those that are trained without, then frozen
    ones.

    Attributes:
        values, gradient: the vectors.
        places: the slice of each parameter by full name.
        views, gradient_views: views into the vectors by full name (`dense_1.w`), in network order.
        decayed, trainable: the slices that l1 and l2 apply to, and that training changes; both
            start at 0.
        rates: (slice, factor of the learning rate) one after the other, over all of `trainable`.
        member_factors: a further factor of each number, as long as `trainable`; None: members have
            no rates of their own.
        frozen: names of the parameters that are not trained.
    """

    def __init__(self, parameters: Mapping[str, Parameter], dtype: np.dtype) -> None:
        self._slices: dict[str, tuple[slice, Shape]] = {}
        self.rates: list[tuple[slice, float]] = []
        decayed = trainable = start = 0
        # a stable sort: network order within each group
        for name in sorted(parameters, key=lambda name: _group(parameters[name])):
            p = parameters[name]
            stop = start + math.prod(p.shape)
            self._slices[name] = (slice(start, stop), p.shape)
            if p.trainable:
                trainable = stop
                self._add_rate(start, stop, p.rate)
                decayed = stop if p.decayed else decayed
            start = stop
        self._names = tuple(parameters)
        self.places = {name: self._slices[name][0] for name in parameters}
        self.frozen = frozenset(name for name in parameters if not parameters[name].trainable)
        self.decayed = slice(0, decayed)
        self.trainable = slice(0, trainable)
        self.values = long_zeros(start, dtype)
        self.gradient = long_zeros(start, dtype)
        self.views = self.named(self.values)
        self.gradient_views = self.named(self.gradient)
        self.member_factors = self._member_factors(parameters)

    def _add_rate(self, start: int, stop: int, rate: float) -> None:
        """Adds a slice; neighbours of the same rate are merged, so that updates are few calls."""
        if self.rates and self.rates[-1][1] == rate:
            start = self.rates.pop()[0].start
        self.rates.append((slice(start, stop), rate))

    def _member_factors(self, parameters: Mapping[str, Parameter]) -> np.ndarray | None:
        found = {name: parameter.member_factors() for name, parameter in parameters.items()}
        if all(factors is None for factors in found.values()):
            return None
        flat = np.ones_like(self.values)
        for name, view in self.named(flat).items():
            factors = found[name]
            if factors is not None:
                view[...] = factors
        return flat[self.trainable]

    def named(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """Returns views by name, in network order, into any vector of this layout."""
        return {
            name: flat[self._slices[name][0]].reshape(self._slices[name][1]) for name in self._names
        }

    def __len__(self) -> int:
        return len(self.values)


def _group(parameter: Parameter) -> int:
    """Returns 0: decayed, 1: trained but not decayed, 2: frozen."""
    return (0 if parameter.decayed else 1) if parameter.trainable else 2
