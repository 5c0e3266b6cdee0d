"""Two half moons."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count, NonNegative
from nettrain.data.dataset import Dataset
from nettrain.data.features import Features
from nettrain.data.source import Source
from nettrain.data.target import Target
from nettrain.streams import generator


@dataclass(frozen=True, kw_only=True)
class Moons(Source):
    """Moons. Upper: (cos t, sin t); lower: (1 - cos t, 1/2 - sin t); with normal noise.

    t is uniform on [0, pi]. Two numbers, two classes. scikit-learn's make_moons takes t at even
    steps instead.
    """

    rows: Annotated[Count, Field(ge=4, description="number of rows")] = 1000
    noise: Annotated[NonNegative, Field(description="standard deviation around the curves")] = 0.1

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """Drawn with the run's seed; the classes in turn."""
        random = generator(seed, "source.moons")
        code = np.arange(self.rows) % 2
        t = random.uniform(0, np.pi, self.rows)
        x = np.where(code == 0, np.cos(t), 1 - np.cos(t))
        y = np.where(code == 0, np.sin(t), 0.5 - np.sin(t))
        points = np.stack([x, y], axis=1) + self.noise * random.standard_normal((self.rows, 2))
        return Dataset(
            Features(points, ("x", "y")),
            Target(code, ("moon",), ("upper", "lower")),
            origin="moons",
        )
