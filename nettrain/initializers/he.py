"""He (Kaiming) initialization, for layers before a ReLU."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.nn.initializer import Initializer, draw


@dataclass(frozen=True, kw_only=True)
class He(Initializer):
    """He initialization. Var w = 2 / fan_in.

    relu halves the second moment of its input, and the factor 2 makes up for it. He et al. 2015,
    eq. 10. PyTorch's kaiming_uniform_ with nonlinearity="relu"; its Linear layers start smaller (a
    = sqrt 5: Var w = 1 / (3 fan_in)).
    """

    distribution: Annotated[
        Literal["normal", "uniform"],
        Field(description="distribution of the values; both have the same variance"),
    ] = "normal"

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        return draw(self.distribution, math.sqrt(2 / fan_in), shape, generator)
