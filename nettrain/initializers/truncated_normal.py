"""Truncated normal initialization."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Positive, Real
from nettrain.nn.initializer import Initializer

CUT = 2.0  # standard deviations


@dataclass(frozen=True, kw_only=True)
class TruncatedNormal(Initializer):
    """Truncated normal. w ~ N(mean, deviation^2) within 2 deviations: Var w = 0.7737 deviation^2.

    Values outside are drawn again. The deviation is that of the whole distribution, as in PyTorch's
    trunc_normal_ and Keras's TruncatedNormal.
    """

    mean: Annotated[Real, Field(description="mean of the values")] = 0.0
    deviation: Annotated[Positive, Field(description="standard deviation before truncation")] = 0.05

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        values = generator.normal(size=shape)
        while (outside := np.abs(values) > CUT).any():
            values[outside] = generator.normal(size=int(outside.sum()))
        return self.mean + self.deviation * values
