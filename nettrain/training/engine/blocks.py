"""The trained parameters in blocks, each of which one thread completes and updates at a time."""

from collections.abc import Iterator
from typing import NamedTuple

from nettrain.autodiff.ops import matmul
from nettrain.nn.parameter import Shape
from nettrain.nn.vector import ParameterVector

# Elements. In smaller blocks two threads wait more for the interpreter's lock than the second-level
# cache saves: Adam over 670k parameters takes 0.6 ms in these, 0.9 ms in blocks of 32768; on one
# thread 0.92 and 1.0.
BLOCK = 131_072
LARGE = 65_536  # elements of a matrix from which its gradient is worth completing band by band


class Block(NamedTuple):
    """A part of the trained parameters, all at one rate.

    Attributes:
        part: Where it is in the vector.
        rate: What multiplies the learning rate.
        matrix: The name of the large weight matrix that it is a part of; None: of none.
        rows: Which rows of that matrix it is.
    """

    part: slice
    rate: float
    matrix: str | None = None
    rows: slice = slice(0, 0)


def large_matrices(vector: ParameterVector) -> dict[str, slice]:
    """The place of each large weight matrix that is trained and not divided in tiles, in order."""
    found = {
        name: vector.places[name]
        for name, view in vector.views.items()
        if view.ndim == 2
        and view.size >= LARGE
        and name not in vector.frozen
        and matmul.columns(*view.shape) is None
    }
    return dict(sorted(found.items(), key=lambda item: item[1].start))


def blocks(vector: ParameterVector) -> list[Block]:
    """All trained parameters, in order.

    All of a block have one rate, and all or none of it belongs to a large matrix.
    """
    matrices = large_matrices(vector)
    found: list[Block] = []
    for place, rate in vector.rates:
        start = place.start
        for name, matrix in matrices.items():
            if place.start <= matrix.start < place.stop:
                found += _any(start, matrix.start, rate)
                found += _of_matrix(name, matrix, vector.views[name].shape, rate)
                start = matrix.stop
        found += _any(start, place.stop, rate)
    return found


def _any(start: int, stop: int, rate: float) -> Iterator[Block]:
    """Blocks of parameters outside the large matrices."""
    for first in range(start, stop, BLOCK):
        yield Block(slice(first, min(first + BLOCK, stop)), rate)


def _of_matrix(name: str, place: slice, shape: Shape, rate: float) -> Iterator[Block]:
    """Blocks of whole rows of a large matrix."""
    for band in matmul.bands(*shape):
        start, stop = (place.start + row * shape[1] for row in (band.start, band.stop))
        yield Block(slice(start, stop), rate, name, band)
