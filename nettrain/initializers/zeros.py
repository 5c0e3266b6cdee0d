"""The start for biases."""

from dataclasses import dataclass

import numpy as np

from nettrain.nn.initializer import Initializer


@dataclass(frozen=True, kw_only=True)
class Zeros(Initializer):
    """w = 0.  For weights between hidden layers it is a trap: all units stay alike."""

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        return np.zeros(shape)
