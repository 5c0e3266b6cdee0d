"""The schedule of a plan: the actions of both passes, and the arrays that each reads and writes."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nettrain.autodiff.backward import nodes_above
from nettrain.autodiff.compiled import compiled_form
from nettrain.autodiff.primitive import Array, Barrier, Call, Primitive, View
from nettrain.autodiff.tensor import Node, Tensor


@dataclass(frozen=True)
class Action:
    """What one primitive does in one pass of a plan.

    Attributes:
        calls: `calls(*args, **scratch)` gives the calls to make: `forward_calls` or
            `backward_calls` of the primitive.
        args: The arguments of `calls` and `tiles`.
        scratch: Their keyword arguments.
        origin: Of the primitive's node.
        reads: The arrays whose contents it needs.
        writes: The arrays that it fills completely.
        works: The arrays that only this action uses.
        reuses: Pairs of `reads` and `writes` that may be the same memory, if no later action needs
            what is read there.
        tiles: The same as `calls`, divided into tiles; gives None where that is not worth it.
        barrier: Where all shards wait: after it in the forward pass, before it in the backward
            pass.
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
    """The backward pass.

    Attributes:
        actions: What it does.
        own: The arrays that were made for it, which nothing else uses.
        products: The matrices a and b whose product a b is the gradient of a tensor, where that is
            left to others.
    """

    actions: list[Action]
    own: list[Array]
    products: dict[Tensor, tuple[Array, Array]]


def forward_actions(results: Iterable[Tensor], *, compiled: bool) -> list[Action]:
    """The actions that compute the results, oldest node first."""
    actions = []
    for node, _ in reversed(list(nodes_above(*results))):
        if isinstance(node.primitive, View):
            continue
        primitive = compiled_form(node.primitive) if compiled else node.primitive
        values = [x.value for x in node.inputs]
        kept, works = _split_scratch(primitive, node)
        actions.append(
            Action(
                primitive.forward_calls,
                (node.out, *values),
                node.scratch,
                node.origin,
                reads=tuple(values),
                writes=(node.out, *kept),
                works=works,
                reuses=tuple((values[i], node.out) for i in primitive.in_place),
                tiles=primitive.forward_tiles,
                barrier=primitive if isinstance(primitive, Barrier) else None,
            )
        )
    return actions


def own_arrays(results: Iterable[Tensor]) -> list[Array]:
    """The outputs and the scratch of all nodes that the results were computed by."""
    arrays = []
    for node, _ in nodes_above(*results):
        if not isinstance(node.primitive, View):
            arrays += [node.out, *node.scratch.values()]
    return arrays


def backward_actions(
    y: Tensor,
    into: Mapping[Tensor, Array],
    dy: Array,
    share: float,
    *,
    compiled: bool,
    left: Collection[Tensor] = (),
) -> Backward:
    """The actions that compute the gradients of y, newest node first, as `backward` does.

    Args:
        y: The result.
        into: The arrays that receive gradients.
        dy: The gradient with respect to y.
        share: See `Plan`.
        compiled: Whether operations that have a compiled form run in it.
        left: Tensors whose gradient is left to others, where it is the product of two matrices.
    """
    made = list(nodes_above(y))
    buffers, aliases, own = _gradient_buffers(y, dy, made, into)
    consumers = Counter(id(x) for node, _ in made for x in node.inputs)
    left = {x for x in left if consumers[id(x)] == 1}
    products: dict[Tensor, tuple[Array, Array]] = {}
    actions: list[Action] = []
    written = {id(y)}
    for node, tensor in made:
        if id(tensor) not in written:
            continue  # y depends on it only through values without a derivative
        if id(tensor) in aliases:
            written.add(id(node.inputs[0]))  # writing the view's gradient was writing its source's
            continue
        primitive = compiled_form(node.primitive) if compiled else node.primitive
        d, x = buffers[id(tensor)], node.inputs[0]
        if len(node.inputs) == 1 and id(x) in written and x.requires_grad:
            adding = _adding_action(node, primitive, buffers[id(x)], d)
            if adding is not None:
                actions.append(_of_share(adding, share))
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
                    _single(
                        np.add, (total, part, total), node, reads=(total, part), writes=(total,)
                    )
                )
        if len(node.inputs) > 1 and (w := node.inputs[1]) in left:
            factors = primitive.factors(d, *(x.value for x in node.inputs), **node.scratch)
            if factors is not None:
                products[w], grads[1] = factors, None
        actions.append(_of_share(_backward_action(node, primitive, grads, d), share))
        actions += sums
    for x, slot in into.items():
        if id(x) not in written:
            actions.append(_single(slot.fill, (0,), y.node, writes=(slot,)))
    return Backward(actions, own, products)


def _backward_action(
    node: Node, primitive: Primitive, grads: list[Array | None], dy: Array
) -> Action:
    values = [x.value for x in node.inputs]
    kept, works = _split_scratch(primitive, node)
    reads = [
        dy,
        *kept,
        *(values[i] for i in primitive.reads if isinstance(i, int) and i < len(values)),
    ]
    if "out" in primitive.reads:
        reads.append(node.out)
    required = tuple(grad for grad in grads if grad is not None)
    return Action(
        primitive.backward_calls,
        (grads, dy, node.out, *values),
        node.scratch,
        node.origin,
        reads=tuple(reads),
        writes=required,
        works=works,
        reuses=tuple((dy, grad) for grad in required[:1] if primitive.gradient_in_place),
        tiles=primitive.backward_tiles,
        barrier=primitive if isinstance(primitive, Barrier) else None,
    )


def _adding_action(node: Node, primitive: Primitive, total: Array, dy: Array) -> Action | None:
    """The action that adds the gradient of the only input to `total`, if there is one."""
    action = _backward_action(node, primitive, [total], dy)
    args = (total, *action.args[1:])
    if primitive.added_calls(*args, **action.scratch) is None:
        return None

    def calls(*args: Any, **scratch: Any) -> list[Call]:
        return primitive.added_calls(*args, **scratch) or []

    return replace(action, calls=calls, args=args, reads=(total, *action.reads), reuses=())


def _of_share(action: Action, share: float) -> Action:
    """A barrier's action takes the share of dy that a shard's rows have in all rows."""
    if action.barrier is None or share == 1:
        return action

    def calls(grads: Any, dy: Array, *args: Any, **scratch: Any) -> list[Call]:
        return [(np.multiply, (dy, share, dy), {}), *action.calls(grads, dy, *args, **scratch)]

    return replace(action, calls=calls)


def _single(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    node: Node | None,
    *,
    reads: tuple[Array, ...] = (),
    writes: tuple[Array, ...] = (),
) -> Action:
    """The action that is one call of a function."""
    origin = node.origin if node else 0
    return Action(
        lambda *args: [(function, args, {})], args, {}, origin, reads=reads, writes=writes
    )


def _split_scratch(primitive: Primitive, node: Node) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """The scratch that is kept from the forward to the backward pass, and that used within one."""
    reads = primitive.reads
    kept = tuple(array for name, array in node.scratch.items() if name in reads)
    return kept, tuple(array for name, array in node.scratch.items() if name not in reads)


def _gradient_buffers(
    y: Tensor, dy: Array, made: list[tuple[Node, Tensor]], into: Mapping[Tensor, Array]
) -> tuple[dict[int, Array], set[int], list[Array]]:
    """The array for the gradient of each tensor: its slot, a view of its source's, or a new one.

    Returns:
        The arrays by the `id` of the tensor; the `id` of the tensors whose array is a view (their
        source has no other consumer); the new arrays.
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
    return buffers, aliases, own
