"""The plan: a computation recorded once, eagerly, then replayed on the arrays that the recording left: no allocation, no graph building.

    x, y = Tensor(batch, feed=True), Tensor(targets, feed=True)
    with recording() as seen:
        loss = rows(network(x), y).sum() * (1 / n)
    plan = Plan(loss, into=network.slots)
    ...                                            # new contents into batch and targets
    plan.forward()                                 # loss.value is new
    plan.backward()                                # and so are the slots

The nodes, their order and their arrays are those of the eager run, so the bits are too; fused primitives keep them.
"""
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from nettrain.autodiff.backward import nodes_above
from nettrain.autodiff.fusion import fuse
from nettrain.autodiff.primitive import Array, View
from nettrain.autodiff.tensor import Node, Tensor

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class Plan:
    """The replay of everything above y, a tensor of one element, and of its gradients into the slots.

    also  further tensors of the recording that `forward` computes again: new values of state
    """

    def __init__(self, y: Tensor, into: Mapping[Tensor, Array], also: Iterable[Tensor] = ()) -> None:
        also = list(also)
        fuse(y, *also)
        made = reversed(list(nodes_above(y, *also)))
        self._forward: list[Call] = [_forward_call(node) for node, _ in made if not isinstance(node.primitive, View)]
        self._backward = _backward_calls(y, list(nodes_above(y)), into)

    def forward(self) -> None:
        """Compute every value again."""
        for call, args, scratch in self._forward:
            call(*args, **scratch)

    def backward(self) -> None:
        """Write every slot again, after `forward`."""
        for call, args, scratch in self._backward:
            call(*args, **scratch)


def _forward_call(node: Node) -> Call:
    return node.primitive.forward, (node.out, *[x.value for x in node.inputs]), node.scratch


def _backward_calls(y: Tensor, made: list[tuple[Node, Tensor]], into: Mapping[Tensor, Array]) -> list[Call]:
    """What `backward` does, newest node first, written down instead of done."""
    buffers, aliases = _gradient_buffers(y, made, into)
    buffers[id(y)][...] = 1
    calls: list[Call] = []
    written = {id(y)}
    for node, tensor in made:
        if id(tensor) not in written:
            continue  # y depends on it only through values without a derivative
        if id(tensor) in aliases:
            written.add(id(node.inputs[0]))  # writing the view's gradient was writing its source's
            continue
        grads: list[Array | None] = []
        sums: list[Call] = []
        for x in node.inputs:
            if not x.requires_grad:
                grads.append(None)
            elif id(x) not in written:
                written.add(id(x))
                grads.append(buffers[id(x)])
            else:
                part = np.empty_like(buffers[id(x)])
                grads.append(part)
                sums.append((np.add, (buffers[id(x)], part), {"out": buffers[id(x)]}))
        values = [x.value for x in node.inputs]
        calls.append((node.primitive.backward, (grads, buffers[id(tensor)], node.out, *values), node.scratch))
        calls += sums
    calls += [(slot.fill, (0,), {}) for x, slot in into.items() if id(x) not in written]
    return calls


def _gradient_buffers(
    y: Tensor, made: list[tuple[Node, Tensor]], into: Mapping[Tensor, Array]
) -> tuple[dict[int, Array], set[int]]:
    """An array for the gradient of each tensor, oldest first: its slot, a view of its source's (where that has no other consumer), or new.

    The second result holds the tensors of the views.
    """
    consumers = Counter(id(x) for node, tensor in made if tensor.requires_grad for x in node.inputs)
    buffers = {id(y): np.empty_like(y.value)}  # its own, also where y is a view: nobody writes it after the 1
    buffers |= {id(x): slot for x, slot in into.items()}
    aliases: set[int] = set()
    for node, tensor in reversed(made):
        if not tensor.requires_grad:
            continue
        for x in node.inputs:
            if x.requires_grad and id(x) not in buffers:
                buffers[id(x)] = np.empty(x.shape, x.dtype)
        source = node.inputs[0]
        if isinstance(node.primitive, View) and consumers[id(source)] == 1 and id(tensor) not in buffers:
            alias = node.primitive.alias(buffers[id(source)])
            if alias is not None:
                buffers[id(tensor)] = alias
                aliases.add(id(tensor))
        if id(tensor) not in buffers:
            buffers[id(tensor)] = np.empty(tensor.shape, tensor.dtype)
    return buffers, aliases
