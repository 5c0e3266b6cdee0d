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
from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.backward import nodes_above
from nettrain.autodiff.fusion import fuse
from nettrain.autodiff.primitive import Array, Barrier, View
from nettrain.autodiff.tensor import Node, Tensor

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Meeting:
    """Where the shards of a batch meet: a value that all rows share, made by `barrier` from x."""

    barrier: Barrier
    out: Array
    x: Array


class Plan:
    """The replay of everything above y, a tensor of one element, and of its gradients into the slots.

    also   further tensors of the recording that `forward` computes again: new values of state
    share  of the batch's rows that this plan has; below 1 it is one of several shards, and `nettrain.autodiff.shards` runs it

    forwards   the calls in segments; after each but the last stands one of `meetings`
    backwards  the same on the way back; before each but the first stands one of `gradients`, with respect to a shared value
    forward_origins, backward_origins  to each call the `origin` of its node
    """

    def __init__(self, y: Tensor, into: Mapping[Tensor, Array], also: Iterable[Tensor] = (), *, share: float = 1.0) -> None:
        also = list(also)
        fuse(y, *also)
        self.forwards: list[list[Call]] = [[]]
        self.forward_origins: list[list[int]] = [[]]
        self.meetings: list[Meeting] = []
        made = list(nodes_above(y))
        buffers, aliases = _gradient_buffers(y, made, into)
        for node, _ in reversed(list(nodes_above(y, *also))):
            if isinstance(node.primitive, View):
                continue
            self.forwards[-1].append((node.primitive.forward, (node.out, *[x.value for x in node.inputs]), node.scratch))
            self.forward_origins[-1].append(node.origin)
            if isinstance(node.primitive, Barrier):
                self.meetings.append(Meeting(node.primitive, node.out, node.inputs[0].value))
                self.forwards.append([])
                self.forward_origins.append([])
        buffers[id(y)][...] = 1
        segments, self.gradients = _backward_segments(y, made, into, buffers, aliases, share)
        self.backwards = [[call for call, _ in segment] for segment in segments]
        self.backward_origins = [[origin for _, origin in segment] for segment in segments]

    def forward(self) -> None:
        """Compute every value again."""
        for segment in self.forwards:
            run(segment)

    def backward(self) -> None:
        """Write every slot again, after `forward`."""
        for segment in self.backwards:
            run(segment)


def run(segment: list[Call]) -> None:
    """Make the calls one after the other."""
    for call, args, scratch in segment:
        call(*args, **scratch)


def _backward_segments(
    y: Tensor, made: list[tuple[Node, Tensor]], into: Mapping[Tensor, Array], buffers: dict[int, Array], aliases: set[int], share: float
) -> tuple[list[list[tuple[Call, int]]], list[Array]]:
    """What `backward` does, newest node first, written down instead of done: calls and their origins; a barrier's begins a segment."""
    segments: list[list[tuple[Call, int]]] = [[]]
    gradients: list[Array] = []
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
        call: Call = (node.primitive.backward, (grads, buffers[id(tensor)], node.out, *values), node.scratch)
        if isinstance(node.primitive, Barrier):
            segments.append([(call, node.origin)])
            gradients.append(buffers[id(tensor)])
            if share != 1:
                segments[-1].append(((node.primitive.rescale, (grads[0], share), {}), node.origin))
        else:
            segments[-1].append((call, node.origin))
        segments[-1] += [(addition, node.origin) for addition in sums]
    segments[-1] += [((slot.fill, (0,), {}), y.node.age if y.node else 0) for x, slot in into.items() if id(x) not in written]
    return segments, gradients


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
