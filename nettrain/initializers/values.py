"""Initialization with given numbers."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Real
from nettrain.errors import ConfigError
from nettrain.nn.initializer import Initializer

Vector = tuple[Real, ...]
Matrix = tuple[Vector, ...]


@dataclass(frozen=True, kw_only=True)
class Values(Initializer):
    """Given values. w = values.

    For worked examples and known filters. A dense layer's w is (inputs, outputs): one row per
    input. Axes of length 1 may be left out, so that a 3 x 3 filter on one channel is a matrix.

    Raises:
        ConfigError: The values do not have the parameter's shape.
    """

    values: Annotated[
        Vector | Matrix,
        Field(description="the elements: a list, or a list of rows", examples=[[[1, -2], [-1, 1]]]),
    ]

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        lengths = {len(row) for row in self.values if isinstance(row, tuple)}
        if len(lengths) > 1:
            raise ConfigError("initializer: the rows of `values` differ in length")
        values = np.array(self.values, np.float64)
        if [n for n in values.shape if n > 1] != [n for n in shape if n > 1]:
            raise ConfigError(
                f"initializer: `values` has shape {values.shape}, but the parameter has {shape}"
            )
        return values.reshape(shape)
