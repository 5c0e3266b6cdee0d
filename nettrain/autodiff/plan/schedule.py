"""What a plan does, written down: the calls of a recorded computation and of its gradients, with the arrays that each reads and writes."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.backward import nodes_above
from nettrain.autodiff.compiled import compiled_form
from nettrain.autodiff.primitive import Array, Barrier, Call, Primitive, View
from nettrain.autodiff.tensor import Node, Tensor


@dataclass(frozen=True)
class Action:
    """What one primitive does for a plan, on the way forward or back.

    calls(*args, **scratch) and tiles(*args, **scratch) give the calls that do it: see `forward_calls` and `forward_tiles` of `Primitive`.

    reads    the arrays whose contents it needs
    writes   those that it fills, all of each
    works    those that it fills and uses, and nobody after it
    reuses   (of reads, of writes): pairs that may be the same memory, if nobody needs what is read there afterwards
    barrier  where rows meet: after it on the way forward, before it on the way back
    origin   of its node
    """

    calls: Callable[..., list[Call]]
    args: tuple[Any, ...]
    scratch: Mapping[str, Array]
    origin: int
    reads: tuple[Array, ...] = ()
    writes: tuple[Array, ...] = ()
    works: tuple[Array, ...] = ()
    reuses: tuple[tuple[Array, Array], ...] = ()
    tiles: Callable[..., list[list[list[Call]]] | None] = lambda *args, **scratch: None
    barrier: Barrier | None = None


@dataclass(frozen=True)
class Backward:
    """The way back. own: the arrays that were made for it, which nobody else looks at."""

    actions: list[Action]
    own: list[Array]


def forward_actions(results: Iterable[Tensor], *, compiled: bool) -> list[Action]:
    """Everything that the results were made by, oldest first."""
    actions = []
    for node, _ in reversed(list(nodes_above(*results))):
        if isinstance(node.primitive, View):
            continue
        primitive = compiled_form(node.primitive) if compiled else node.primitive
        values = [x.value for x in node.inputs]
        kept, works = _divided(primitive, node)
        reuses = tuple((values[i], node.out) for i in primitive.in_place)
        tiles, barrier = (
            primitive.forward_tiles,
            primitive if isinstance(primitive, Barrier) else None,
        )
        actions.append(
            Action(primitive.forward_calls, (node.out, *values), node.scratch, node.origin, tuple(values), (node.out, *kept), works, reuses,
                   tiles, barrier)
        )  # fmt: skip
    return actions


def own_arrays(results: Iterable[Tensor]) -> list[Array]:
    """The outputs and the scratch of everything that the results were made by."""
    found = []
    for node, _ in nodes_above(*results):
        if not isinstance(node.primitive, View):
            found += [node.out, *node.scratch.values()]
    return found


def backward_actions(
    y: Tensor,
    into: Mapping[Tensor, Array],
    dy: Array,
    share: float,
    *,
    compiled: bool,
) -> Backward:
    """What `backward` does, newest node first, written down instead of done."""
    made = list(nodes_above(y))
    buffers, aliases, own = _gradient_buffers(y, dy, made, into)
    actions: list[Action] = []
    written = {id(y)}
    for node, tensor in made:
        if id(tensor) not in written:
            continue  # y depends on it only through values without a derivative
        if id(tensor) in aliases:
            written.add(id(node.inputs[0]))  # writing the view's gradient was writing its source's
            continue
        grads: list[Array | None] = []
        sums: list[Action] = []
        for x in node.inputs:
            if not x.requires_grad:
                grads.append(None)
            elif id(x) not in written:
                written.add(id(x))
                grads.append(buffers[id(x)])
            else:
                part, total = np.empty_like(buffers[id(x)]), buffers[id(x)]
                own.append(part)
                grads.append(part)
                sums.append(
                    Action(
                        _just(np.add),
                        (total, part, total),
                        {},
                        node.origin,
                        reads=(total, part),
                        writes=(total,),
                    )
                )
        primitive = compiled_form(node.primitive) if compiled else node.primitive
        actions.append(_backward_action(node, primitive, grads, buffers[id(tensor)]))
        if isinstance(node.primitive, Barrier) and share != 1 and grads[0] is not None:
            dx = grads[0]
            actions.append(
                Action(
                    _just(node.primitive.rescale),
                    (dx, share),
                    {},
                    node.origin,
                    reads=(dx,),
                    writes=(dx,),
                )
            )
        actions += sums
    for x, slot in into.items():
        if id(x) not in written:
            actions.append(Action(_just(slot.fill), (0,), {}, y.node.age if y.node else 0))
    return Backward(actions, own)


def _backward_action(
    node: Node, primitive: Primitive, grads: list[Array | None], dy: Array
) -> Action:
    values = [x.value for x in node.inputs]
    kept, works = _divided(primitive, node)
    reads = [
        dy,
        *kept,
        *(values[i] for i in primitive.reads if isinstance(i, int) and i < len(values)),
    ]
    if "out" in primitive.reads:
        reads.append(node.out)
    wanted = tuple(grad for grad in grads if grad is not None)
    reuses = tuple((dy, grad) for grad in wanted[:1] if primitive.gradient_in_place)
    return Action(
        primitive.backward_calls, (grads, dy, node.out, *values), node.scratch, node.origin, tuple(reads), wanted, works, reuses,
        primitive.backward_tiles, primitive if isinstance(primitive, Barrier) else None,
    )  # fmt: skip


def _just(function: Callable[..., Any]) -> Callable[..., list[Call]]:
    """One call of a function."""
    return lambda *args: [(function, args, {})]


def _divided(primitive: Primitive, node: Node) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """The scratch that is kept from forward to backward, and that which each of them only works with."""
    reads = primitive.reads
    kept = tuple(array for name, array in node.scratch.items() if name in reads)
    return kept, tuple(array for name, array in node.scratch.items() if name not in reads)


def _gradient_buffers(
    y: Tensor, dy: Array, made: list[tuple[Node, Tensor]], into: Mapping[Tensor, Array]
) -> tuple[dict[int, Array], set[int], list[Array]]:
    """An array for the gradient of each tensor, oldest first: its slot, a view of its source's (where that has no other consumer), or new.

    The second result holds the tensors of the views, the third the new arrays.
    """
    consumers = Counter(id(x) for node, tensor in made if tensor.requires_grad for x in node.inputs)
    buffers = {id(y): dy}  # also where y is a view
    buffers |= {id(x): slot for x, slot in into.items()}
    aliases: set[int] = set()
    own: list[Array] = []

    def new(tensor: Tensor) -> None:
        buffers[id(tensor)] = np.empty(tensor.shape, tensor.dtype)
        own.append(buffers[id(tensor)])

    for node, tensor in reversed(made):
        if not tensor.requires_grad:
            continue
        for x in node.inputs:
            if x.requires_grad and id(x) not in buffers:
                new(x)
        source = node.inputs[0]
        if (
            isinstance(node.primitive, View)
            and consumers[id(source)] == 1
            and id(tensor) not in buffers
        ):
            alias = node.primitive.alias(buffers[id(source)])
            if alias is not None:
                buffers[id(tensor)] = alias
                aliases.add(id(tensor))
        if id(tensor) not in buffers:
            new(tensor)
    return buffers, aliases, own
