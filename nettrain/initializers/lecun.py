"""LeCun initialization, for linear units and SELU."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.nn.initializer import Initializer, draw


@dataclass(frozen=True, kw_only=True)
class Lecun(Initializer):
    """LeCun initialization. Var w = 1 / fan_in.

    A linear unit keeps the variance of its inputs. LeCun et al. 1998, "Efficient BackProp", eq. 16.
    """

    distribution: Annotated[
        Literal["normal", "uniform"],
        Field(description="distribution of the values; both have the same variance"),
    ] = "normal"

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        return draw(self.distribution, math.sqrt(1 / fan_in), shape, generator)
