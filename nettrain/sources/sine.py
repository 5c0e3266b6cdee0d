"""One period of the sine."""

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
class Sine(Source):
    """Sine. y = sin x + noise, x uniform on [-pi, pi].

    One number, one target: one hidden layer approximates any continuous function (Cybenko
    1989).
    """

    rows: Annotated[Count, Field(ge=4, description="number of rows")] = 500
    noise: Annotated[NonNegative, Field(description="standard deviation around the curve")] = 0.02

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """Drawn with the run's seed."""
        random = generator(seed, "source.sine")
        x = random.uniform(-np.pi, np.pi, (self.rows, 1))
        y = np.sin(x) + self.noise * random.standard_normal((self.rows, 1))
        return Dataset(Features(x, ("x",)), Target(y, ("y",)), origin="sine")
