"""Shards: the rows of a batch divided among plans that run in parallel.

Results depend on the division alone, not on threads. Each shard has buffers and gradient slots of
its own and reads the same parameters. A value that all rows share (the moments of batch
normalization) is a synchronization point: it is merged over the shards in the forward pass, and its
gradients are summed in the backward pass, in the order of the shards.

Where there are no such points, and no tiles, the two passes of a shard run one after the other, on
what the caches still hold. Shards that take turns may then share an arena.

The shards of a batch may be divided among processes: a `Gather` then brings in the values of those
that other processes compute.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from nettrain.autodiff.plan.plan import CallQueue, Phase, Plan
from nettrain.autodiff.primitive import Array

Task = Callable[[], None]
RunTasks = Callable[[Sequence[Task]], None]  # runs independent tasks, on one thread or several
# Takes an array of each shard that is computed here, and returns that of each shard of the batch.
Gather = Callable[[Sequence[Array]], Sequence[Array]]


def all_are_here(arrays: Sequence[Array]) -> Sequence[Array]:
    """The gather of one process, which computes every shard."""
    return arrays


class Shards:
    """The plans of the shards of one batch.

    Args:
        plans: One per shard, recorded alike.
        run_tasks: Runs independent tasks, on one thread or several.
        gather: Brings in the values of shards that other processes compute.
        arenas: The number of arenas of the plans, where plan i uses arena i % arenas; None: each
            plan has memory of its own.

    Attributes:
        undivided: Whether each plan runs as one queue of calls, without waiting for another.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        run_tasks: RunTasks,
        gather: Gather = all_are_here,
        arenas: int | None = None,
    ) -> None:
        self._run_tasks = run_tasks
        self._gather = gather
        self.undivided = all(plan.undivided for plan in plans)
        turns = [plans[i :: arenas or len(plans)] for i in range(arenas or len(plans))]
        self._in_turn = [partial(_run_both, turn) for turn in turns if turn]
        self._forwards = _by_phase([plan.forwards for plan in plans])
        self._backwards = _by_phase([plan.backwards for plan in plans])
        self._synchronization_points = {
            phase: [plan.synchronization_points[phase] for plan in plans]
            for phase in plans[0].synchronization_points
        }
        self._merges = {
            phase: partial(
                points[0].barrier.merge,
                counts=list(map(int, gather([np.array(point.elements) for point in points]))),
            )
            for phase, points in self._synchronization_points.items()
        }
        self._gradients = {
            phase: [plan.gradients[phase] for plan in plans] for phase in plans[0].gradients
        }

    def forward_and_backward(self) -> None:
        """Compute every value and every gradient of every shard anew; where it is undivided.

        Bitwise identical to `forward` and then `backward`.
        """
        if len(self._in_turn) == 1:
            self._in_turn[0]()
        else:
            self._run_tasks(self._in_turn)

    def forward(self) -> None:
        """Compute every value of every shard anew."""
        for phase, queues in enumerate(self._forwards):
            self._run(queues)
            if phase in self._synchronization_points:
                points = self._synchronization_points[phase]
                self._all_reduce([point.out for point in points], self._merges[phase])

    def backward(self) -> None:
        """Compute every gradient of every shard anew; `forward` comes first.

        The sum over the shards is the gradient of the batch.
        """
        for phase, queues in enumerate(self._backwards):
            if phase in self._gradients:
                self._all_reduce(self._gradients[phase], _add_up)
            self._run(queues)

    def _run(self, queues: Sequence[CallQueue]) -> None:
        if len(queues) == 1:
            queues[0]()  # without waking other threads: 0.4 us
        else:
            self._run_tasks(queues)

    def _all_reduce(self, own: Sequence[Array], reduce: Callable[[Sequence[Array]], None]) -> None:
        """Reduce the values of all shards, in their order, and give every shard the result.

        Args:
            own: The values of the shards that are computed here; they are overwritten.
            reduce: Combines values of all shards in the first of them.
        """
        values = self._gather(own)
        reduce(values)
        for array in own:
            if array is not values[0]:
                array[...] = values[0]


def _add_up(dys: Sequence[Array]) -> None:
    for dy in dys[1:]:
        np.add(dys[0], dy, out=dys[0])


def _run_both(plans: Sequence[Plan]) -> None:
    for plan in plans:
        plan.forward()
        plan.backward()


def _by_phase(plans: Sequence[list[Phase]]) -> list[list[CallQueue]]:
    """Phase by phase, the queues of all shards."""
    return [[queue for phase in phases for queue in phase] for phases in zip(*plans, strict=True)]
