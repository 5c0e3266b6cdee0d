"""Constant initialization."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Real
from nettrain.nn.initializer import Initializer


@dataclass(frozen=True, kw_only=True)
class Constant(Initializer):
    """Constant. w = value.

    For biases: with equal weights all units stay equal.
    """

    value: Annotated[Real, Field(description="value of every element")]

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        return np.full(shape, float(self.value))
