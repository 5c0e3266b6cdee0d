"""Xavier (Glorot) initialization, for symmetric activations."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.nn.initializer import Initializer, draw


@dataclass(frozen=True, kw_only=True)
class Xavier(Initializer):
    """Xavier initialization. Var w = 2 / (fan_in + fan_out).

    A compromise between keeping the variance in the forward and in the backward pass. Glorot &
    Bengio 2010, eq. 16. Keras's glorot_uniform (its default), PyTorch's xavier_uniform_.
    """

    distribution: Annotated[
        Literal["normal", "uniform"],
        Field(description="distribution of the values; both have the same variance"),
    ] = "uniform"

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        return draw(self.distribution, math.sqrt(2 / (fan_in + fan_out)), shape, generator)
