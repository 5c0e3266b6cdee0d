"""The plan: a computation recorded once, eagerly, then replayed on arrays that stay: no allocation, no graph building.

    x, y = Tensor(batch, feed=True), Tensor(targets, feed=True)
    with recording() as seen:
        loss = rows(network(x), y).sum() * (1 / n)
    plan = Plan(loss, into=network.slots)
    ...                                            # new contents into batch and targets
    plan.forward()                                 # loss.value is new
    plan.backward()                                # and so are the slots

The nodes and their order are those of the eager run, so the bits are too; fused primitives keep them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np

from nettrain.autodiff.plan.fusion import fuse
from nettrain.autodiff.plan.memory import Arena, share_memory
from nettrain.autodiff.plan.schedule import Action, backward_actions, forward_actions, own_arrays
from nettrain.autodiff.primitive import Array, Barrier, Call
from nettrain.autodiff.tensor import Tensor


class CallQueue:
    """Calls that one thread makes one after the other. origins: to each call the `origin` of its node."""

    __slots__ = ("calls", "origins")

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []
        self.origins: list[int] = []

    def __call__(self) -> None:
        """Make them."""
        for call in self.calls:
            call()

    def add(self, calls: Sequence[Call], origin: int) -> Self:
        """More calls."""
        self.calls += [partial(function, *args, **named) for function, args, named in calls]
        self.origins += [origin] * len(calls)
        return self


Calls = list[Callable[[], None]]
Wrap = Callable[[str, Calls, Sequence[int]], Calls]
Phase = list[CallQueue]  # that may run side by side: one, or one a tile of a large product


@dataclass(frozen=True)
class SynchronizationPoint:
    """Where the shards of a batch meet: a value that all rows share, made by `barrier` from x."""

    barrier: Barrier
    out: Array
    x: Array


class Plan:
    """The replay of everything above y, and, where y is one number, of its gradients into the slots.

    into   None: the way forward alone
    dy     the array in which at each `backward` stands the gradient of the final result with respect to y; None: 1
    also   further tensors of the recording that `forward` computes again: new values of state
    share  of the batch's rows that this plan has; below 1 it is one of several shards, and `nettrain.autodiff.plan.shards` runs it
    arena  the memory in which arrays that are not needed at the same time share their bytes: of the recorded tensors, only y and `also`
           are computed again for others to look at. None: all of them are, each in the array that the recording left
    compiled  whether operations that have a compiled form run in it
    fused  whether sequences of operations are put together: see `nettrain.autodiff.plan.fusion`

    forwards   the calls in phases; after some of them stands a meeting
    backwards  the same on the way back; before some of them stands the gradient with respect to a shared value
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
    ) -> None:
        results = [y, *also]
        if fused:
            fuse(*results)
        actions = forward_actions(results, compiled=compiled)
        own, count = own_arrays(results), len(actions)
        if into is not None:
            back = backward_actions(
                y, into, np.ones_like(y.value) if dy is None else dy, share, compiled=compiled
            )
            actions, own = actions + back.actions, own + back.own
        if arena is not None:
            actions = share_memory(actions, own, [tensor.value for tensor in results], arena)
        self.forwards, ends = _phases(actions[:count], before=False)
        self.synchronization_points = {
            phase: SynchronizationPoint(_barrier(action), action.args[0], action.args[1])
            for phase, action in ends.items()
        }
        self.backwards, begins = _phases(actions[count:], before=True)
        self.gradients = {phase: action.args[1] for phase, action in begins.items()}

    def forward(self) -> None:
        """Compute every value again."""
        run(self.forwards)

    def backward(self) -> None:
        """Write every slot again, after `forward`."""
        run(self.backwards)

    def instrument(self, wrap: Wrap) -> None:
        """Replace the calls of each queue, in order to measure or watch them.

        Args:
            wrap: Gets "forward" or "backward", the calls of a queue, and to each call the `origin`
                of its node; returns the calls to make instead.
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
    """The calls in phases, and where barriers stand: by the phase that begins with one (`before`) or ends with it."""
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
