"""Two spirals, one inside the other."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count, NonNegative, Positive
from nettrain.data.dataset import Dataset
from nettrain.data.features import Features
from nettrain.data.source import Source
from nettrain.data.target import Target
from nettrain.streams import generator


@dataclass(frozen=True, kw_only=True)
class Spirals(Source):
    """Two spirals. (x, y) = r (cos a, sin a), a = 2 pi turns r, or half a turn more; r = sqrt(u).

    u is uniform on [0, 1]. Two numbers, two classes "first" and "second". The square root
    spreads the points evenly along the curves. After Lang & Witbrock 1988, whose spirals have
    three turns.
    """

    rows: Annotated[Count, Field(ge=4, description="number of rows")] = 1000
    turns: Annotated[Positive, Field(description="turns of each spiral")] = 1.5
    noise: Annotated[
        NonNegative,
        Field(description="standard deviation around the curves; the spirals reach radius 1"),
    ] = 0.02

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """Drawn with the run's seed; the classes in turn."""
        random = generator(seed, "source.spirals")
        code = np.arange(self.rows) % 2
        r = np.sqrt(random.random(self.rows))
        a = 2 * np.pi * self.turns * r + np.pi * code
        points = np.stack(
            [r * np.cos(a), r * np.sin(a)], axis=1
        ) + self.noise * random.standard_normal((self.rows, 2))
        return Dataset(
            Features(points, ("x", "y")),
            Target(code, ("spiral",), ("first", "second")),
            origin="spirals",
        )
