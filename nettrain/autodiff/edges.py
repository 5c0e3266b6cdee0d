"""The chain rule on the graph: local derivatives on the edges, and products along paths."""

from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.primitive import Array
from nettrain.autodiff.tensor import Tensor


@dataclass(frozen=True)
class Edge:
    """The use of `source` in computing `target`.

    Attributes:
        source: The input.
        target: The output.
        derivative: d target / d source along this edge alone, target.shape + source.shape.
    """

    source: Tensor
    target: Tensor
    derivative: Array


def edges(y: Tensor) -> list[Edge]:
    """The edges that lead into y, one per input that requires a gradient."""
    node = y.node
    if node is None:
        return []
    inputs = [x.value for x in node.inputs]
    edges_into = []
    for i, x in enumerate(node.inputs):
        if x.requires_grad:
            local = np.empty((y.value.size, *x.shape), x.dtype)
            for k, dy in enumerate(np.eye(y.value.size, dtype=y.dtype)):
                slots = [local[k, ...] if j == i else None for j in range(len(inputs))]
                node.primitive.backward(
                    slots, dy.reshape(y.shape), node.out, *inputs, **node.scratch
                )
            edges_into.append(Edge(x, y, local.reshape(y.shape + x.shape)))
    return edges_into


def paths(y: Tensor, x: Tensor) -> list[list[Edge]]:
    """Every path from x to y, from x on.

    Their number can grow exponentially with the depth: for small graphs.
    """
    complete: list[list[Edge]] = []
    growing: list[list[Edge]] = [[edge] for edge in edges(y)]
    while growing:
        path = growing.pop()
        start = path[0].source
        if start is x:
            complete.append(path)
        else:
            growing.extend([edge, *path] for edge in edges(start))
    return complete


def along(path: list[Edge]) -> Array:
    """The product of the local derivatives on a path.

    The derivative is the sum of these products over all paths.
    """
    product = path[0].derivative
    for edge in path[1:]:
        product = np.tensordot(edge.derivative, product, axes=edge.source.ndim)
    return product
