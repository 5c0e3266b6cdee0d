"""Random signs."""

from dataclasses import dataclass

import numpy as np

from nettrain.nn.initializer import Initializer


@dataclass(frozen=True, kw_only=True)
class RandomSigns(Initializer):
    """Random signs. w = 1 or -1, each with probability 1/2.

    For factors that tell members apart and keep the size of what they multiply. Wen et al. 2020
    (BatchEnsemble), section 4; Gorishniy et al. 2025 (TabM).
    """

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        return 2.0 * generator.integers(2, size=shape) - 1
