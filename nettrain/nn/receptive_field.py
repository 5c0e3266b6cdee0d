"""What a place of an output sees of the input image."""

import math
from dataclasses import dataclass

Pair = tuple[float, float]


@dataclass(frozen=True)
class ReceptiveField:
    """size (h, w): of the rectangle that one place of the output depends on; step (h, w): from a place's rectangle to the next one's.

    Padding and the values that normalization shares are left out. A layer that looks at each place alone has the default.
    """

    size: Pair = (1, 1)
    step: Pair = (1, 1)

    def then(self, layer: "ReceptiveField") -> "ReceptiveField":
        """Of a layer behind: r = r_1 + (r_2 - 1) j_1, j = j_1 j_2.  Araujo, Norris & Sim 2019, eq. 2."""
        sizes = [
            r + (more - 1) * j for r, more, j in zip(self.size, layer.size, self.step, strict=True)
        ]
        steps = [j * more for j, more in zip(self.step, layer.step, strict=True)]
        return ReceptiveField((sizes[0], sizes[1]), (steps[0], steps[1]))

    def union(self, other: "ReceptiveField") -> "ReceptiveField":
        """Of what is put together with another that has the same places."""
        (h, w), (height, width) = self.size, other.size
        return ReceptiveField((max(h, height), max(w, width)), self.step)

    def within(self, height: int, width: int) -> tuple[int, int]:
        """Height and width in whole pixels, of an image of this size."""
        h, w = self.size
        return min(height, math.ceil(h) if h < math.inf else height), min(
            width, math.ceil(w) if w < math.inf else width
        )


EVERYTHING = ReceptiveField((math.inf, math.inf))
