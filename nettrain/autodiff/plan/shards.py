"""Shards: the rows of a batch divided among plans that run in parallel.

Results depend on the division alone, not on threads. Each shard has buffers and gradient slots of
its own and reads the same parameters. A value that all rows share (the moments of batch
normalization) is a synchronization point: it is merged over the shards in the forward pass, and its
gradients are summed in the backward pass, in the order of the shards.
"""

from collections.abc import Callable, Sequence

import numpy as np

from nettrain.autodiff.plan.plan import CallQueue, Phase, Plan
from nettrain.autodiff.primitive import Array

Task = Callable[[], None]
RunTasks = Callable[[Sequence[Task]], None]  # runs independent tasks, on one thread or several


class Shards:
    """The plans of the shards of one batch.

    Args:
        plans: One per shard, recorded alike.
        run_tasks: Runs independent tasks, on one thread or several.
    """

    def __init__(self, plans: Sequence[Plan], run_tasks: RunTasks) -> None:
        self.plans = plans
        self._run_tasks = run_tasks
        self._forwards = _by_phase([plan.forwards for plan in plans])
        self._backwards = _by_phase([plan.backwards for plan in plans])
        self._synchronization_points = {
            phase: [plan.synchronization_points[phase] for plan in plans]
            for phase in plans[0].synchronization_points
        }
        self._gradients = {
            phase: [plan.gradients[phase] for plan in plans] for phase in plans[0].gradients
        }

    def forward(self) -> None:
        """Compute every value of every shard anew."""
        for phase, queues in enumerate(self._forwards):
            self._run(queues)
            if phase in self._synchronization_points:
                points = self._synchronization_points[phase]
                points[0].barrier.merge([m.out for m in points], [m.x for m in points])

    def backward(self) -> None:
        """Compute every gradient of every shard anew; `forward` comes first.

        The sum over the shards is the gradient of the batch.
        """
        for phase, queues in enumerate(self._backwards):
            if phase in self._gradients:
                _all_reduce(self._gradients[phase])
            self._run(queues)

    def _run(self, queues: Sequence[CallQueue]) -> None:
        if len(queues) == 1:
            queues[0]()  # without waking other threads: 0.4 us
        else:
            self._run_tasks(queues)


def _all_reduce(dys: Sequence[Array]) -> None:
    """All-reduce: give every shard the sum over the shards, in their order."""
    for dy in dys[1:]:
        np.add(dys[0], dy, out=dys[0])
    for dy in dys[1:]:
        dy[...] = dys[0]


def _by_phase(plans: Sequence[list[Phase]]) -> list[list[CallQueue]]:
    """Phase by phase, the queues of all shards."""
    return [[queue for phase in phases for queue in phase] for phases in zip(*plans, strict=True)]
