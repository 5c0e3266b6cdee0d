"""Reverse mode: the gradients of one value, node by node from the newest, without recursion."""

import heapq
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nettrain.autodiff.primitive import Array
from nettrain.autodiff.tensor import Node, Tensor


def nodes_above(*results: Tensor) -> Iterator[tuple[Node, Tensor]]:
    """Every node that the results were computed by, with the tensor that it made, newest first.

    A node is newer than its inputs, so all of its consumers come before it.
    """
    waiting = [(-age, y) for age, y in {y.node.age: y for y in results if y.node}.items()]
    heapq.heapify(waiting)
    seen = {id(y) for y in results}
    while waiting:
        _, tensor = heapq.heappop(waiting)
        node = tensor.node
        assert node is not None
        yield node, tensor
        for x in node.inputs:
            if x.node is not None and id(x) not in seen:
                seen.add(id(x))
                heapq.heappush(waiting, (-x.node.age, x))


class Gradients(Mapping[Tensor, Array]):
    """The gradients of one value with respect to tensors: `gradients[w]`, intermediate ones too.

    A tensor that the value does not depend on has the gradient zero.
    """

    def __init__(self, by_id: dict[int, tuple[Tensor, Array]]) -> None:
        self._by_id = by_id

    def __getitem__(self, x: Tensor) -> Array:
        if not x.requires_grad:
            raise KeyError(
                "this tensor does not require a gradient: "
                "make it with Tensor(value, requires_grad=True)"
            )
        entry = self._by_id.get(id(x))
        return np.zeros_like(x.value) if entry is None else entry[1].copy()

    def __iter__(self) -> Iterator[Tensor]:
        return (x for x, _ in self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)


def backward(y: Tensor, dy: Any = None, into: Mapping[Tensor, Array] | None = None) -> Gradients:
    """The gradients of y with respect to every tensor x that it was computed from.

    Args:
        y: Of any shape; it requires a gradient.
        dy: The gradient of the final result with respect to y, in y's shape; 1 where y has one
            element.
        into: Arrays that receive the gradients of some tensors (slices of a flat vector).

    Returns:
        dy/dx of every x that requires a gradient.

    Raises:
        ValueError: y requires no gradient, or a shape does not fit.
    """
    if not y.requires_grad:
        raise ValueError(
            "this tensor depends on nothing that requires a gradient: "
            "make one with Tensor(value, requires_grad=True)"
        )
    if dy is None and y.value.size != 1:
        raise ValueError(
            f"the gradient of a tensor of shape {y.shape} needs dy, a weight for each of its "
            "elements; or take its sum first"
        )
    seed = np.ones_like(y.value) if dy is None else np.array(dy, dtype=y.dtype)
    if seed.shape != y.shape:
        raise ValueError(f"dy has shape {seed.shape}, but the tensor has {y.shape}")
    slots = {id(x): slot for x, slot in into.items()} if into else {}
    for x, slot in (into or {}).items():
        if slot.shape != x.shape:
            raise ValueError(
                f"a slot of shape {slot.shape} does not fit a tensor of shape {x.shape}"
            )
    if id(y) in slots:
        slots[id(y)][...] = seed
    gradients: dict[int, tuple[Tensor, Array]] = {id(y): (y, seed)}
    for node, tensor in nodes_above(y):
        if not tensor.requires_grad:
            continue  # it depends on feeds alone
        _, dy = gradients[id(tensor)]
        grads: list[Array | None] = []
        for i, x in enumerate(node.inputs):
            if not x.requires_grad:
                grads.append(None)
                continue
            first = id(x) not in gradients and x not in node.inputs[:i]
            given = slots.get(id(x)) if first else None
            grads.append(np.empty(x.value.shape, x.value.dtype) if given is None else given)
        node.primitive.backward(
            grads, dy, node.out, *[x.value for x in node.inputs], **node.scratch
        )
        for x, dx in zip(node.inputs, grads, strict=True):
            if dx is None:
                continue
            earlier = gradients.get(id(x))
            if earlier is None:
                gradients[id(x)] = (x, dx)
            else:
                np.add(earlier[1], dx, out=earlier[1])
    for x in into or ():
        if id(x) not in gradients:
            slots[id(x)][...] = 0
    return Gradients(gradients)
