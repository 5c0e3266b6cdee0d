"""The start at one value."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Real
from nettrain.nn.initializer import Initializer


@dataclass(frozen=True, kw_only=True)
class Constant(Initializer):
    """w = value.  For biases; weights that are all alike leave all units alike."""

    value: Annotated[Real, Field(description="of every element")]

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        return np.full(shape, float(self.value))
