"""Normal initialization."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Positive, Real
from nettrain.nn.initializer import Initializer


@dataclass(frozen=True, kw_only=True)
class Normal(Initializer):
    """Normal. w ~ N(mean, deviation^2), whatever the size of the layer.

    PyTorch's normal_ has deviation 1 by default.
    """

    mean: Annotated[Real, Field(description="mean of the values")] = 0.0
    deviation: Annotated[Positive, Field(description="standard deviation of the values")] = 0.05

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        return generator.normal(self.mean, self.deviation, shape)
