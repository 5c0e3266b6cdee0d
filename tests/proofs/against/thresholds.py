"""Lets small networks take the ways of large ones: work in parts, tiles, blocks and fast algorithms."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from nettrain import pages
from nettrain.autodiff import philox
from nettrain.autodiff.ops import convolution, depthwise, gaussian, matmul, pooling, winograd
from nettrain.nn import batched_inference
from nettrain.training import run_plan
from nettrain.training.engine import blocks

# All of them are read by Python alone; what compiled loops read is part of their machine code.
LOW = [
    (convolution, "CACHE", 500),  # numbers of a part of the images
    (depthwise, "CACHE", 200),
    (pooling, "CACHE", 200),
    (gaussian, "BLOCK", 32),  # elements
    (matmul, "WIDE", 100),  # elements of a matrix that is divided in tiles
    (matmul, "TILE", 16),  # columns
    (blocks, "LARGE", 30),  # elements of a matrix whose gradient is made band by band
    (matmul, "BAND", 40),  # elements of a band
    (matmul, "HEIGHT", 2),  # rows that a band has a multiple of
    (matmul, "transposed_is_faster", lambda n, i, o: i * o > n),
    (winograd, "WORTH", 1),  # channels
    (winograd, "WORTH_COMPILED", 1),
    (blocks, "BLOCK", 64),  # parameters
    (run_plan, "BLOCK", 64),
    (philox, "MANY", 16),  # random numbers
    (pages, "LONG", 256),  # bytes of a vector on pages of its own
    (batched_inference, "MAX_CHUNK_SIZE", 4),  # rows
]


@contextmanager
def low(are_low: bool) -> Iterator[None]:
    """Inside, if so asked, what is meant for large networks begins with small ones."""
    with ExitStack() as stack:
        for module, name, value in LOW if are_low else ():
            stack.enter_context(patch.object(module, name, value))
        yield
