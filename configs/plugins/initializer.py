"""An initializer of your own: most weights start at zero.

plugins: [plugins/initializer.py]
model: {type: mlp, hidden: [16], initializer: {type: sparse, nonzero: 4}}
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain import Count, Initializer


@dataclass(frozen=True, kw_only=True)
class Sparse(Initializer):
    """Sparse initialization. About `nonzero` weights per unit, from N(0, 1 / nonzero)."""

    nonzero: Annotated[Count, Field(description="expected number of nonzero inputs per unit")] = 8

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator
    ) -> np.ndarray:
        """Draw the initial values of one parameter."""
        kept = generator.random(shape) < self.nonzero / fan_in
        values: np.ndarray = generator.normal(0, self.nonzero**-0.5, shape) * kept
        return values
