"""Shards: the rows of a batch divided among plans that are replayed side by side, to bits that depend on the division alone.

Each shard has buffers and gradient slots of its own and reads the same parameters. Where rows make a value that all rows share (the
moments of batch normalization) the shards meet: the value is merged, and on the way back its gradients are added, in their order.
"""
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from nettrain.autodiff.plan import Plan, run

Task = Callable[[], None]
Together = Callable[[Sequence[Task]], None]  # runs independent tasks, on one thread or several


class Shards:
    """The plans of one batch's shards, recorded alike. `together` runs independent tasks, on one thread or several."""

    def __init__(self, plans: Sequence[Plan], together: Together) -> None:
        self.plans = plans
        self._together = together
        self._forwards = [[partial(run, segment) for segment in segments] for segments in zip(*[p.forwards for p in plans], strict=True)]
        self._backwards = [[partial(run, segment) for segment in segments] for segments in zip(*[p.backwards for p in plans], strict=True)]
        self._meetings = list(zip(*[p.meetings for p in plans], strict=True))
        self._gradients = list(zip(*[p.gradients for p in plans], strict=True))

    def forward(self) -> None:
        """Compute every value of every shard again."""
        self._together(self._forwards[0])
        for met, tasks in zip(self._meetings, self._forwards[1:], strict=True):
            met[0].barrier.merge([m.out for m in met], [m.x for m in met])
            self._together(tasks)

    def backward(self) -> None:
        """Write every shard's slots again, after `forward`; their sum over the shards is the batch's gradient."""
        self._together(self._backwards[0])
        for dys, tasks in zip(self._gradients, self._backwards[1:], strict=True):
            for dy in dys[1:]:
                np.add(dys[0], dy, out=dys[0])
            for dy in dys[1:]:
                dy[...] = dys[0]
            self._together(tasks)
