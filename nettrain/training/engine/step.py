"""One step of training: gather a batch, compute its loss and gradient, update."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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
from nettrain.training.engine.gradient import GradientComputation
from nettrain.training.engine.partition import Partition
from nettrain.training.engine.prefetch import BatchRequest, Prefetch
from nettrain.training.engine.threads import run_serially
from nettrain.training.engine.update import Update

NO_ROWS = np.arange(0)

Phase = Callable[..., Any]


class Step:
    """Trains on the rows that it is given; one call is one step of the optimizer.

    The loss of a batch is sum_i w_i L_i / sum_i w_i over its rows, where w_i = 1 if rows have no
    weights. PyTorch's weighted cross_entropy divides by the same sum. A batch whose weights are all
    0 has the gradient 0 (in PyTorch NaN).

    More rows than `batch_size` are computed in micro-batches of that size, whose gradients are
    accumulated: that of the mean over all of them. The layers' state (running statistics) moves
    once per micro-batch; further evaluations of the same rows by a closure optimizer do not move
    it.

    Args:
        network: What is trained.
        loss: L.
        update: What changes the parameters.
        part: The training part.
        size: The number of classes, or of target columns.
        batch_size: Rows that the buffers hold.
        partition: The shards into which the rows of a batch are divided.
        run_tasks: Runs independent tasks, on one thread or several.
        threads: Returns how many threads `run_tasks` uses now.
        replay: Whether recorded steps are replayed; False computes each anew, for tests.
        compiled: Whether compiled loops are used.
        augmenter: Changes the images of a batch at random.

    Attributes:
        network, update, partition: As given.
        part: The training part, with encoded targets.
        batch: The buffers that hold the rows of a micro-batch.
        computation: Computes their loss and its gradient.
        whole: Whether the state of a run is that after a number of whole steps. An exception within
            a step leaves it so, unless part of the step has changed weights or layers' state.
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
        partition: Partition | None = None,
        run_tasks: RunTasks = run_serially,
        threads: Callable[[], int] = lambda: 1,
        replay: bool = True,
        compiled: bool = False,
        augmenter: Augmenter | None = None,
    ) -> None:
        if part.y is None:
            raise ValueError("a part without targets cannot be trained on")
        self.network = network
        self.update = update
        self.part = dataclasses.replace(part, y=encoded(loss, part.y, size, network.dtype))
        self.partition = partition or Partition(1)
        self.batch = Batch(self.part, batch_size, network.dtype, augmenter, self.partition.rows)
        self.computation = GradientComputation(
            network,
            loss,
            self.batch,
            partition=self.partition,
            run_tasks=run_tasks,
            threads=threads,
            replay=replay,
            compiled=compiled,
        )
        self.whole = True
        self._total: np.ndarray | None = None
        self._prefetch: Prefetch | None = None
        # called instead of `_gathered`, to measure it
        self._gather: Phase | None = None
        self._compute: Phase = self.computation.__call__
        self._apply: Phase = update.__call__

    def instrument(self, wrap: Callable[[str, Phase], Phase]) -> None:
        """Call the phases of all further steps through a wrapper, to measure them.

        Args:
            wrap: Takes the name of a phase (gather, compute, update) and its function, and returns
                the function that is called instead. The latter must call the former once, with its
                arguments, and return what it returns.
        """
        self._gather = wrap("gather", self._gather or self._gathered)
        self._compute = wrap("compute", self._compute)
        self._apply = wrap("update", self._apply)

    def weight(self, rows: np.ndarray) -> float:
        """The sum of the rows' weights, which divides their loss; their number without weights."""
        return self.batch.weight(rows)

    def micro_batches(self, rows: np.ndarray) -> list[np.ndarray]:
        """The rows in groups that the buffers of the batch hold."""
        size = len(self.batch)
        return [rows[start : start + size] for start in range(0, len(rows), size)]

    def gather(self, rows: np.ndarray, step: int, micro_batch: int = 0) -> None:
        """Fill the buffers with these rows."""
        (self._gather or self._gathered)(rows, step, micro_batch)

    def _gathered(self, rows: np.ndarray, step: int, micro_batch: int) -> None:
        """Fill the buffers, from those that were filled ahead where there are any."""
        (self._prefetch or self.batch).gather(rows, step, micro_batch)

    def loss(self, rows: np.ndarray) -> float:
        """The weighted sum of the loss over the rows, as the next step would find it.

        Nothing is updated, and the layers' state stays.
        """
        step, value = self.update.steps, 0.0
        for i, batch in enumerate(self.micro_batches(rows)):
            self.gather(batch, step, i)
            value += self._compute(len(batch), step=step, micro_batch=i, want_gradient=False)
        return value

    @contextmanager
    def prefetching(self, threads: int, busy: int) -> Iterator[None]:
        """Inside, the batch of the next step is gathered while this one computes, where that pays.

        Args:
            threads: That may be used.
            busy: How many of them the computation uses.
        """
        x = self.part.x
        slow = isinstance(x, LazyRows) and x.slow_to_take
        stored = slow and isinstance(x, LazyRows) and x.in_file
        expensive = self.batch.augmenter is not None or slow
        # Rows in memory take 0.03 ms of a step of 4 ms to copy; handing that to a thread would cost
        # more. Where computing uses every thread, one more slows down a shard for which the others
        # wait (measured: no gain); with one to spare a step of 9.4 ms with images shifted, rotated
        # and scaled takes 6.7 ms. Reading from a disk may wait, and leaves the processor free then.
        if not expensive or threads < 2 or (threads <= busy and not stored):
            yield
            return
        with Prefetch(self.batch) as self._prefetch:
            try:
                yield
            finally:
                self._prefetch = None

    def __call__(self, rows: np.ndarray, lr: float, following: np.ndarray = NO_ROWS) -> float:
        """Make one step.

        Args:
            rows: Indices into the training part.
            lr: The learning rate.
            following: The rows of the next step, where they are known; results do not depend on it.

        Returns:
            The weighted sum of the loss over the rows, before the update. A loss that is not
            finite updates nothing.
        """
        if isinstance(self.update, ClosureUpdate):
            return self._closure_step(self.update, rows, lr)
        request = None
        if self._prefetch is not None and len(following):
            request = following[: len(self.batch)], self.update.steps + 1, 0
        value = (
            self._micro_batch(rows, 0, request, complete=not self.update.by_blocks)
            if len(rows) <= len(self.batch)
            else self._accumulate(rows, self.micro_batches(rows), request)
        )
        if math.isfinite(value):
            self._apply(lr, self.computation.pending)
        return value

    def _micro_batch(
        self,
        rows: np.ndarray,
        micro_batch: int,
        request: BatchRequest | None = None,
        *,
        want_gradient: bool = True,
        complete: bool = True,
    ) -> float:
        """The loss of rows that fit the buffers; `network.vector.gradient` is that of their mean.

        Args:
            rows: Of the micro-batch.
            micro_batch: Its place in the step.
            request: What will be gathered next.
            want_gradient: Whether the gradient is computed.
            complete: Whether it is completed; see `GradientComputation`.
        """
        step = self.update.steps
        self.gather(rows, step, micro_batch)
        if self._prefetch is not None and request is not None:
            self._prefetch.announce(request)
        value: float = self._compute(
            len(rows),
            step=step,
            micro_batch=micro_batch,
            want_gradient=want_gradient,
            complete=complete,
        )
        if math.isfinite(value):
            self.computation.commit()
        return value

    def _accumulate(
        self, rows: np.ndarray, micro_batches: list[np.ndarray], request: BatchRequest | None
    ) -> float:
        """The loss of all micro-batches; `network.vector.gradient` is that of their mean."""
        gradient, value = self.network.vector.gradient, 0.0
        if self._total is None:
            self._total = np.empty_like(gradient)
        total = self._total
        total.fill(0)
        weight = self.weight(rows)
        following = [
            *((batch, self.update.steps, i) for i, batch in enumerate(micro_batches[1:], start=1)),
            request,
        ]
        for i, (batch, after) in enumerate(zip(micro_batches, following, strict=True)):
            value += self._micro_batch(batch, i, after)
            self.whole = not self.computation.proposals  # the state of layers has moved
            if not np.isfinite(value):
                return value
            gradient *= self.weight(batch) / weight if weight else 0
            total += gradient
        gradient[...] = total
        self.whole = True
        return value

    def _closure_step(self, update: ClosureUpdate, rows: np.ndarray, lr: float) -> float:
        """A step of an optimizer that asks for the mean loss at weights of its own choosing."""
        value = self._micro_batch(rows, 0, want_gradient=False)
        weight, step = self.weight(rows), update.steps

        def mean_loss(want_gradient: bool) -> float:
            loss: float = self._compute(len(rows), step=step, want_gradient=want_gradient)
            return loss / weight if weight else 0.0

        if np.isfinite(value):
            self.whole = False
            self._apply(lr, mean_loss)
            self.whole = True
        return value
