"""One step of training: gather a batch, compute its loss and gradient, update."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from nettrain.autodiff.plan.shards import RunTasks
from nettrain.data.augmenter import Augmenter
from nettrain.data.part import Part
from nettrain.data.rows.base import LazyRows
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.training.build import encoded
from nettrain.training.engine.batch import Batch
from nettrain.training.engine.closure_update import ClosureUpdate
from nettrain.training.engine.gradient import Computation
from nettrain.training.engine.prefetch import Prefetch, Wanted
from nettrain.training.engine.threads import run_serially
from nettrain.training.engine.update import Update

NO_ROWS = np.arange(0)


class Step:
    """Trains on the rows it is given; one call is one step of the optimizer.

    The loss of a batch is sum_i w_i L_i / sum_i w_i over its rows, where w_i = 1 if rows have no weights. PyTorch's weighted
    cross_entropy divides by the same sum. A batch whose weights are all 0 has the gradient 0 (in PyTorch NaN).

    More rows than `batch_size` are taken in portions of it, whose gradients are accumulated: that of the mean over all of them.
    The layers' state (running statistics) moves on once a portion; a search's further looks at the same rows do not move it.

    gather, compute, apply  what a step calls one after the other: of the batch, the computation, the update. A profile clocks them
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        update: Update | ClosureUpdate,
        part: Part,
        size: int,
        batch_size: int,
        *,
        shards: int = 1,
        run_tasks: RunTasks = run_serially,
        replay: bool = True,
        compiled: bool = False,
        augmenter: Augmenter | None = None,
    ) -> None:
        if part.y is None:
            raise ValueError("a part without targets cannot be trained on")
        self.network = network
        self.update = update
        self.part = dataclasses.replace(
            part, y=encoded(loss, part.y, size, network.dtype), truth=None
        )
        self.batch = Batch(self.part, batch_size, network.dtype, augmenter)
        self.computation = Computation(
            network,
            loss,
            self.batch,
            shards=shards,
            run_tasks=run_tasks,
            replay=replay,
            compiled=compiled,
        )
        self._total: np.ndarray | None = None
        self._prefetch: Prefetch | None = None
        self.gather: Callable[..., None] = self.batch.gather
        self.compute = self.computation.__call__
        self.apply: Callable[..., None] = update.__call__

    def weight(self, rows: np.ndarray) -> float:
        """The sum of the rows' weights, which divides their loss; how many they are where rows have none."""
        return self.batch.weight(rows)

    def portions(self, rows: np.ndarray) -> list[np.ndarray]:
        """The rows in portions that the batch's buffers hold."""
        return [
            rows[start : start + len(self.batch)] for start in range(0, len(rows), len(self.batch))
        ]

    @contextmanager
    def prefetching(self, threads: int, busy: int) -> Iterator[None]:
        """Inside, the batch of the next step is gathered while this one computes, where that pays.

        busy    how many of the threads computing takes
        """
        x = self.part.x
        dear = self.batch.augmenter is not None or isinstance(x, LazyRows)
        stored = isinstance(x, LazyRows) and x.in_file
        # Rows that lie ready take 0.03 ms of a step of 4 ms to copy; handing that to a thread would cost more. Where computing takes
        # every thread, another one slows a shard down for which the others wait (measured: nothing gained); with one to spare a step
        # of 9.4 ms with images shifted, turned and scaled takes 6.7. Reading from a disk may wait, and then leaves the processor free.
        if not dear or threads < 2 or (threads <= busy and not stored):
            yield
            return
        with Prefetch(self.batch) as prefetch:
            self._prefetch, self.gather = prefetch, prefetch.gather
            try:
                yield
            finally:
                self._prefetch, self.gather = None, self.batch.gather

    def __call__(self, rows: np.ndarray, lr: float, then: np.ndarray = NO_ROWS) -> float:
        """The weighted sum of the loss over the rows, before the update. A loss that is not finite updates nothing.

        then    the rows of the next step, where they are known: no bit depends on it
        """
        if isinstance(self.update, ClosureUpdate):
            return self._searched(self.update, rows, lr)
        coming = (
            (then[: len(self.batch)], self.update.steps + 1, 0)
            if self._prefetch is not None and len(then)
            else None
        )
        value = (
            self._portion(rows, 0, coming)
            if len(rows) <= len(self.batch)
            else self._accumulated(rows, self.portions(rows), coming)
        )
        if math.isfinite(value):
            self.apply(lr)
        return value

    def _portion(
        self,
        rows: np.ndarray,
        portion: int,
        coming: Wanted | None = None,
        *,
        want_gradient: bool = True,
    ) -> float:
        """The loss of rows that the buffers hold; the gradient of their mean stands in `network.vector.gradient`.

        coming  what will be gathered next
        """
        step = self.update.steps
        self.gather(rows, step, portion)
        if self._prefetch is not None and coming is not None:
            self._prefetch.announce(coming)
        value = self.compute(len(rows), step=step, portion=portion, want_gradient=want_gradient)
        if math.isfinite(value):
            self.computation.commit()
        return value

    def _accumulated(
        self, rows: np.ndarray, portions: list[np.ndarray], coming: Wanted | None
    ) -> float:
        """The loss of all portions; the gradient of their mean stands in `network.vector.gradient`, unless it is not finite."""
        gradient, value = self.network.vector.gradient, 0.0
        if self._total is None:
            self._total = np.empty_like(gradient)
        total = self._total
        total.fill(0)
        weight = self.weight(rows)
        following = [
            *((portion, self.update.steps, i) for i, portion in enumerate(portions[1:], start=1)),
            coming,
        ]
        for i, (portion, after) in enumerate(zip(portions, following, strict=True)):
            value += self._portion(portion, i, after)
            if not np.isfinite(value):
                return value
            gradient *= self.weight(portion) / weight if weight else 0
            total += gradient
        gradient[...] = total
        return value

    def _searched(self, update: ClosureUpdate, rows: np.ndarray, lr: float) -> float:
        """A step of an optimizer that asks for the mean loss of these rows at weights of its own choosing."""
        value = self._portion(rows, 0, want_gradient=False)
        n, weight, step = len(rows), self.weight(rows), update.steps
        if np.isfinite(value):
            self.apply(
                lr,
                lambda want_gradient: (
                    self.compute(n, step=step, want_gradient=want_gradient) / weight
                ),
            )
        return value
