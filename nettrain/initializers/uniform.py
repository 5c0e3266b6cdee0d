"""Uniform initialization."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Real
from nettrain.nn.initializer import Initializer


@dataclass(frozen=True, kw_only=True)
class Uniform(Initializer):
    """Uniform. w ~ U[low, high): Var w = (high - low)^2 / 12, whatever the size of the layer."""

    low: Annotated[Real, Field(description="smallest value")] = -0.05
    high: Annotated[Real, Field(description="largest value")] = 0.05

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got low {self.low:g} and high {self.high:g}")

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        return generator.uniform(self.low, self.high, shape)
