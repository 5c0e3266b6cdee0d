"""All parameters of a network in one contiguous vector, with a view for each name: an update is then a few calls, whatever the depth."""
import math
from collections.abc import Mapping

import numpy as np

from nettrain.nn.layer import Parameter, Shape


class ParameterVector:
    """`values` and `gradient`, two flat vectors of one layout: first what l1 and l2 apply to, then the rest.

    views, gradient_views  by full name (`dense_1.w`), in the network's order: views into the vectors, never copies
    decayed                the slice of the vectors that l1 and l2 apply to
    """

    def __init__(self, parameters: Mapping[str, Parameter], dtype: np.dtype) -> None:
        self._places: dict[str, tuple[slice, Shape]] = {}
        start = 0
        for name in sorted(parameters, key=lambda name: not parameters[name].decayed):  # stable: the network's order within each group
            p = parameters[name]
            stop = start + math.prod(p.shape)
            self._places[name] = (slice(start, stop), p.shape)
            start = stop
        self._names = tuple(parameters)
        self.decayed = slice(0, sum(math.prod(p.shape) for p in parameters.values() if p.decayed))
        self.values = np.zeros(start, dtype)
        self.gradient = np.zeros(start, dtype)
        self.views = self.named(self.values)
        self.gradient_views = self.named(self.gradient)

    def named(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """The views, by name and in the network's order, into any vector of this layout."""
        return {name: flat[self._places[name][0]].reshape(self._places[name][1]) for name in self._names}

    def __len__(self) -> int:
        return len(self.values)
