"""A source of your own: two rings of points, one inside the other.

plugins: [plugins/source.py]
dataset: {source: {type: rings, noise: 0.05}}
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain import Count, Dataset, Features, NonNegative, Source, Target, generator


@dataclass(frozen=True, kw_only=True)
class Rings(Source):
    """Two rings. Radius 1 (inner) and 2 (outer), angle uniform, with normal noise."""

    rows: Annotated[Count, Field(description="number of rows")] = 400
    noise: Annotated[NonNegative, Field(description="standard deviation of the noise")] = 0.1

    def load(self, seed: int, aside: tuple[str, ...] = ()) -> Dataset:
        """Draw the rows with the run's seed; the classes alternate."""
        random = generator(seed, "rings")
        code = np.arange(self.rows) % 2
        angle = random.uniform(0, 2 * np.pi, self.rows)
        points = (1 + code[:, None]) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        points += self.noise * random.standard_normal(points.shape)
        target = Target(code, ("ring",), ("inner", "outer"))
        return Dataset(Features(points, ("x", "y")), target, origin="rings")
