"""The receptive field: the part of the input image that one output pixel depends on."""

import math
from dataclasses import dataclass

Pair = tuple[float, float]


@dataclass(frozen=True)
class ReceptiveField:
    """The receptive field of one output pixel.

    The default is that of a layer that works on each pixel alone.

    Padding, and the statistics that normalization shares, are left out.

    Attributes:
        size: height and width of the rectangle of input pixels.
        step: distance between the rectangles of neighbouring output pixels.
    """

    size: Pair = (1, 1)
    step: Pair = (1, 1)

    def then(self, layer: "ReceptiveField") -> "ReceptiveField":
        """Returns the receptive field with a layer behind: r = r_1 + (r_2 - 1) j_1, j = j_1 j_2.

        Araujo, Norris & Sim 2019, eq. 2.
        """
        sizes = [
            r + (more - 1) * j for r, more, j in zip(self.size, layer.size, self.step, strict=True)
        ]
        steps = [j * more for j, more in zip(self.step, layer.step, strict=True)]
        return ReceptiveField((sizes[0], sizes[1]), (steps[0], steps[1]))

    def union(self, other: "ReceptiveField") -> "ReceptiveField":
        """Returns the receptive field of two branches with the same output pixels."""
        (h, w), (height, width) = self.size, other.size
        return ReceptiveField((max(h, height), max(w, width)), self.step)

    def within(self, height: int, width: int) -> tuple[int, int]:
        """Returns height and width in whole pixels, at most those of the image."""
        h, w = self.size
        return min(height, math.ceil(h) if h < math.inf else height), min(
            width, math.ceil(w) if w < math.inf else width
        )


EVERYTHING = ReceptiveField((math.inf, math.inf))
