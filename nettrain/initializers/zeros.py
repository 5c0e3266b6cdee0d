"""Zero initialization."""

from dataclasses import dataclass

import numpy as np

from nettrain.nn.initializer import Initializer


@dataclass(frozen=True, kw_only=True)
class Zeros(Initializer):
    """Zeros. w = 0.

    For biases: with zero weights all units of a hidden layer stay equal.
    """

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        return np.zeros(shape)
