"""The plan: a computation recorded once, eagerly, then replayed on permanent arrays.

A replay allocates nothing and builds no graph:

    x, y = Tensor(batch, feed=True), Tensor(targets, feed=True)
    with recording():
        loss = rows(network(x), y).sum() * (1 / n)
    plan = Plan(loss, into=network.slots)
    ...                                            # write the next rows into batch and targets
    plan.forward()                                 # loss.value is the new loss
    plan.backward()                                # the slots hold the new gradients

The nodes and their order are those of the eager run, so results are bitwise identical to it; fused
primitives keep this.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np

from nettrain.autodiff.plan.fusion import choose_for_compiled, fuse
from nettrain.autodiff.plan.memory import Arena, share_memory
from nettrain.autodiff.plan.schedule import Action, backward_actions, forward_actions, own_arrays
from nettrain.autodiff.primitive import Array, Barrier, Call
from nettrain.autodiff.tensor import Tensor


class CallQueue:
    """Calls that one thread makes one after the other.

    Attributes:
        calls: The calls.
        origins: The `origin` of the node of each call.
    """

    __slots__ = ("calls", "origins")

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []
        self.origins: list[int] = []

    def __call__(self) -> None:
        """Make the calls."""
        for call in self.calls:
            call()

    def add(self, calls: Sequence[Call], origin: int) -> Self:
        """Append calls of one node."""
        self.calls += [partial(function, *args, **named) for function, args, named in calls]
        self.origins += [origin] * len(calls)
        return self


Calls = list[Callable[[], None]]
Wrap = Callable[[str, Calls, Sequence[int]], Calls]
Phase = list[CallQueue]  # may run in parallel: one queue, or one per tile of a large product


@dataclass(frozen=True)
class SynchronizationPoint:
    """Where all shards of a batch must have arrived: `barrier` makes a value of all rows from x."""

    barrier: Barrier
    out: Array
    x: Array

    @property
    def elements(self) -> int:
        """How many elements of x each element of the value is made of."""
        return self.x.size // self.x.shape[-1]


class Plan:
    """The replay of everything that y was computed from, and of the gradients of y.

    Args:
        y: The result of the recording.
        into: The array that receives the gradient of each tensor. None: forward pass only.
        also: Further tensors of the recording that `forward` computes: new values of state.
        dy: The array that holds, at each `backward`, the gradient of the final result with respect
            to y. None: ones.
        share: Fraction of the batch's rows that this plan has; below 1 it is one of several shards,
            which `nettrain.autodiff.plan.shards` runs.
        arena: Memory in which arrays that are not needed at the same time share their bytes; then
            only y and `also` hold new values after a replay. None: every recorded tensor does.
        compiled: Whether operations that have a compiled form run in it.
        fused: Whether sequences of operations are fused: see `nettrain.autodiff.plan.fusion`.
        left: Tensors of `into` whose gradient `backward` may leave to others: see `products`.

    Attributes:
        forwards: The phases of the forward pass.
        backwards: The phases of the backward pass.
        synchronization_points: By the phase of `forwards` that ends with one.
        gradients: By the phase of `backwards`: the gradient with respect to a value that all rows
            share, to be summed over the shards before that phase.
        products: By those tensors of `left` whose gradient is a product of matrices a and b: a and
            b, which `backward` computes; nothing is written into the tensor's array.
    """

    def __init__(
        self,
        y: Tensor,
        into: Mapping[Tensor, Array] | None,
        also: Iterable[Tensor] = (),
        *,
        dy: Array | None = None,
        share: float = 1.0,
        arena: Arena | None = None,
        compiled: bool = False,
        fused: bool = True,
        left: Collection[Tensor] = (),
    ) -> None:
        results = [y, *also]
        if compiled:
            choose_for_compiled(*results)
        if fused:
            fuse(*results)
        actions = forward_actions(results, compiled=compiled)
        own, count = own_arrays(results), len(actions)
        self.products: dict[Tensor, tuple[Array, Array]] = {}
        if into is not None:
            dy = np.ones_like(y.value) if dy is None else dy
            back = backward_actions(y, into, dy, share, compiled=compiled, left=left)
            actions, own = actions + back.actions, own + back.own
            self.products = back.products
        if arena is not None:
            kept = [tensor.value for tensor in results]
            kept += [factor for product in self.products.values() for factor in product]
            actions = share_memory(actions, own, kept, arena)
        self.forwards, ends = _phases(actions[:count], before=False)
        self.synchronization_points = {
            phase: SynchronizationPoint(_barrier(action), action.args[0], action.args[1])
            for phase, action in ends.items()
        }
        self.backwards, begins = _phases(actions[count:], before=True)
        self.gradients = {phase: action.args[1] for phase, action in begins.items()}

    @property
    def undivided(self) -> bool:
        """Whether each pass is one queue of calls: nothing to synchronize, and no tiles."""
        return all(len(phases) == 1 for phases in (self.forwards, self.backwards))

    def forward(self) -> None:
        """Compute every value anew."""
        run(self.forwards)

    def backward(self) -> None:
        """Compute every gradient anew; `forward` comes first."""
        run(self.backwards)

    def instrument(self, wrap: Wrap) -> None:
        """Replace the calls of each queue, in order to measure or watch them.

        Args:
            wrap: Takes "forward" or "backward", the calls of a queue and the `origin` of each
                call's node; returns the calls to make instead.
        """
        for direction, phases in (("forward", self.forwards), ("backward", self.backwards)):
            for queue in (queue for phase in phases for queue in phase):
                queue.calls[:] = wrap(direction, list(queue.calls), tuple(queue.origins))


def run(phases: Sequence[Phase]) -> None:
    """Make all calls, one after the other."""
    for phase in phases:
        for queue in phase:
            queue()


def _phases(actions: Sequence[Action], *, before: bool) -> tuple[list[Phase], dict[int, Action]]:
    """The calls in phases; the barriers by the phase that begins (`before`) or ends with one."""
    phases: list[Phase] = [[CallQueue()]]
    barriers: dict[int, Action] = {}
    for action in actions:
        if action.barrier is not None and before:
            phases.append([CallQueue()])
            barriers[len(phases) - 1] = action
        tiled = action.tiles(*action.args, **action.scratch)
        if tiled is None:
            phases[-1][0].add(action.calls(*action.args, **action.scratch), action.origin)
        else:
            phases += [
                [CallQueue().add(calls, action.origin) for calls in queues] for queues in tiled
            ]
            phases.append([CallQueue()])
        if action.barrier is not None and not before:
            barriers[len(phases) - 1] = action
            phases.append([CallQueue()])
    return phases, barriers


def _barrier(action: Action) -> Barrier:
    if action.barrier is None:
        raise TypeError("not a barrier")
    return action.barrier
