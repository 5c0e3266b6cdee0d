"""The exclusive or."""

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
class Xor(Source):
    """XOR. class = p XOR q at the corners (0,0), (0,1), (1,0), (1,1), with normal noise.

    Two numbers, two classes "0" and "1", the corners in turn: the first four rows are the truth
    table. Minsky & Papert 1969.
    """

    rows: Annotated[Count, Field(ge=4, description="number of rows")] = 400
    noise: Annotated[NonNegative, Field(description="standard deviation around a corner")] = 0.1

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """Drawn with the run's seed."""
        corner = np.arange(self.rows) % 4
        p, q = corner // 2, corner % 2
        noise = self.noise * generator(seed, "source.xor").standard_normal((self.rows, 2))
        return Dataset(
            Features(np.stack([p, q], axis=1) + noise, ("p", "q")),
            Target(p ^ q, ("xor",), ("0", "1"), label_type="integer"),
            origin="xor",
        )
