"""Inside a triangle, or outside."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count
from nettrain.data.dataset import Dataset
from nettrain.data.features import Features
from nettrain.data.source import Source
from nettrain.data.target import Target
from nettrain.streams import generator

_CORNERS = np.array([(0.0, 1.0), (-np.sqrt(0.75), -0.5), (np.sqrt(0.75), -0.5)])
_HALF_SIDE = 1.2  # of the square that the outside points fill


@dataclass(frozen=True, kw_only=True)
class Triangle(Source):
    """Triangle: is (x, y) "inside" or "outside" of a triangle with its corners on the unit circle?

    The triangle is equilateral. Half of the rows are inside (uniform), half outside (uniform in
    a square around it, side 2.4). No line separates them, so a linear model cannot; three
    hidden units, one per side, can.
    """

    rows: Annotated[Count, Field(ge=4, description="number of rows")] = 1000

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """Drawn with the run's seed, in random order."""
        random = generator(seed, "source.triangle")
        inside = self.rows // 2
        points = np.concatenate([_inside(random, inside), _outside(random, self.rows - inside)])
        codes = (np.arange(self.rows) >= inside).astype(np.int64)
        order = random.permutation(self.rows)
        target = Target(codes[order], ("place",), ("inside", "outside"))
        return Dataset(Features(points[order], ("x", "y")), target, origin="triangle")


def _inside(random: np.random.Generator, rows: int) -> np.ndarray:
    """Uniform barycentric weights: the gaps between two sorted uniform numbers."""
    cuts = np.sort(random.random((rows, 2)), axis=1)
    weights = np.diff(cuts, prepend=0, append=1, axis=1)
    points: np.ndarray = weights @ _CORNERS
    return points


def _outside(random: np.random.Generator, rows: int) -> np.ndarray:
    """Points of the square, those in the triangle (about a fifth) drawn again."""
    outside = np.empty((0, 2))
    while len(outside) < rows:
        points = random.uniform(-_HALF_SIDE, _HALF_SIDE, (2 * rows, 2))
        outside = np.concatenate([outside, points[~is_inside(points)]])
    return outside[:rows]


def is_inside(points: np.ndarray) -> np.ndarray:
    """(n, 2) -> (n,): left of all three sides, taken anticlockwise."""
    side = np.roll(_CORNERS, -1, axis=0) - _CORNERS
    offset = points[:, np.newaxis] - _CORNERS
    within: np.ndarray = (side[:, 0] * offset[..., 1] - side[:, 1] * offset[..., 0] >= 0).all(
        axis=1
    )
    return within
