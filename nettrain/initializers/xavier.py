"""The start for layers before a symmetric activation."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.nn.initializer import Initializer, draw


@dataclass(frozen=True, kw_only=True)
class Xavier(Initializer):
    """Var w = 2 / (fan_in + fan_out): between keeping the variance forwards and backwards.  Glorot & Bengio 2010, eq. 16.

    Keras's glorot_uniform (its default), PyTorch's xavier_uniform_.
    """

    distribution: Annotated[
        Literal["normal", "uniform"],
        Field(description="of the values; both have the same variance"),
    ] = "uniform"

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        return draw(self.distribution, math.sqrt(2 / (fan_in + fan_out)), shape, generator)
