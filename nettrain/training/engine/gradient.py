"""The loss of a batch and its gradient: recorded once per number of rows, then replayed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from nettrain.autodiff.backward import backward
from nettrain.autodiff.plan.memory import Arena
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.plan.shards import RunTasks, Shards
from nettrain.autodiff.tensor import Tensor
from nettrain.autodiff.trace import Recording, recording
from nettrain.errors import ConfigError
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.pages import long_zeros
from nettrain.training.engine.batch import Batch
from nettrain.training.engine.blocks import blocks, large_matrices
from nettrain.training.engine.completion import Completion
from nettrain.training.engine.partition import Partition
from nettrain.training.engine.threads import in_turn, run_serially


@dataclass(frozen=True)
class Recorded:
    """The computation of a batch of some number of rows, ready to be replayed.

    Attributes:
        totals: The loss of each shard that is computed here; a replay overwrites it.
        proposals: The new values that the layers propose for their state; likewise.
        shards: The plans whose replay computes them and the gradient.
        count: The number of shards of the batch.
        computed: Which of them are computed here.
        completion: Completes the gradient that the plans leave.
    """

    totals: list[np.ndarray]
    proposals: dict[str, Tensor]
    shards: Shards
    count: int
    computed: range
    completion: Completion


class GradientComputation:
    """The weighted sum of the loss over the rows in a batch, and the gradient of its mean.

    The gradient is written into the network's vector.

    Args:
        network: Holds the weights.
        loss: The loss of a row.
        batch: The buffers that hold the rows.
        partition: The shards into which the rows are divided. The bits depend on their number, and
            on nothing else of how and where they are computed.
        run_tasks: Runs independent tasks, on one thread or several.
        threads: Returns how many threads `run_tasks` uses now. Shards that do not run at once share
            memory.
        replay: Whether recorded steps are replayed. False records every step anew and runs it
            operation by operation, each in arrays of its own: bitwise identical, for tests.
        compiled: Whether operations that have compiled kernels use them in a replay.

    Attributes:
        network, loss, batch, partition, replay, run_tasks, threads: As given.
        watch: Called with every recording and the plans made of it; for profiling.
        data_dependent: Whether a layer has data-dependent control flow. Everything then runs
            eagerly, without shards.
        proposals: The new values that the layers proposed for their state in the last call.
        pending: Completes the gradient of the last call; None: it is complete.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        batch: Batch,
        *,
        partition: Partition,
        run_tasks: RunTasks = run_serially,
        threads: Callable[[], int] = lambda: 1,
        replay: bool = True,
        compiled: bool = False,
    ) -> None:
        self.network = network
        self.loss = loss
        self.batch = batch
        self.partition = partition
        self.replay = replay
        self._compiled = compiled
        self.data_dependent = False
        self.run_tasks = run_tasks
        self.threads = threads
        self.watch: Callable[[Recording, Sequence[Plan]], None] | None = None
        self.proposals: dict[str, Tensor] = {}
        self._recorded: dict[int, Recorded] = {}
        self._arenas = [Arena() for _ in range(partition.width)]
        self._gradients = [
            network.vector.gradient,
            *(long_zeros(len(network.vector), network.dtype) for _ in range(partition.width - 1)),
        ]
        self._slots = [self._named(gradient) for gradient in self._gradients]
        self._trained = [gradient[network.vector.trainable] for gradient in self._gradients]
        self._blocks = blocks(network.vector)
        self._large = [network.parameters[name] for name in large_matrices(network.vector)]
        self.pending: Completion | None = None

    def __call__(
        self,
        n: int,
        *,
        step: int,
        micro_batch: int = 0,
        want_gradient: bool = True,
        complete: bool = True,
    ) -> float:
        """Compute the loss of the first n rows, and its gradient unless the loss is not finite.

        Args:
            n: The number of rows.
            step, micro_batch: Place the random streams.
            want_gradient: Whether the gradient is computed.
            complete: Whether it is completed. Otherwise `pending` does that, block by block.
        """
        self.pending = None
        if self.replay and not self.data_dependent:
            recorded = self._recorded.get(n) or self._record(n, step, micro_batch)
        # the recording may just have shown that control flow depends on data
        if not self.replay or self.data_dependent:
            return self._eager(n, step, micro_batch, want_gradient)
        return self._run(recorded, step, micro_batch, want_gradient, complete)

    def _run(
        self,
        recorded: Recorded,
        step: int,
        micro_batch: int,
        want_gradient: bool,
        complete: bool = True,
    ) -> float:
        """Replay what was recorded; arguments and result as those of a call."""
        self.network.seek(step, self._places(micro_batch, recorded.computed))
        both = want_gradient and recorded.shards.undivided
        if both:
            recorded.shards.forward_and_backward()
        else:
            recorded.shards.forward()
        self.proposals = recorded.proposals
        value = sum(self.partition.losses(recorded.count, recorded.totals))
        if want_gradient and math.isfinite(value):  # NumPy's takes 0.5 us for a number
            if not both:
                recorded.shards.backward()
            if complete or not self.partition.all_here:
                self._complete(recorded)
            elif recorded.completion:
                self.pending = recorded.completion
        return value

    def commit(self) -> None:
        """Let the layers take over the state that they proposed in what was computed last."""
        self.network.commit(self.proposals)

    def _record(self, n: int, step: int, micro_batch: int) -> Recorded:
        """Record the computation of n rows, and keep it for all further batches of as many."""
        seen, plans, recorded = self._planned(
            n, step, micro_batch, self._arenas, compiled=self._compiled, fused=True
        )
        self.data_dependent = seen.data_dependent
        if self.data_dependent:
            self.network.report(
                seen.data_dependent_in or self.loss.name(),
                "has data-dependent control flow, which no plan can replay: every step runs "
                "operation by operation, slower",
            )
            if self.partition.width < self.partition.shards:
                raise ConfigError(
                    "model: has data-dependent control flow, so its batches are not divided into "
                    "shards: train it in one process"
                )
        if self.watch is not None:
            self.watch(seen, plans)
        self._recorded[n] = recorded
        return recorded

    def _planned(
        self,
        n: int,
        step: int,
        micro_batch: int,
        arenas: Sequence[Arena] | None,
        *,
        compiled: bool,
        fused: bool,
    ) -> tuple[Recording, list[Plan], Recorded]:
        """Record the computation of n rows shard by shard, and make a plan of each.

        Args:
            n, step, micro_batch: As of a call.
            arenas: Memory of the plans; None: each of their arrays has its own.
            compiled, fused: As of `Plan`.
        """
        count, all_parts = self.partition.count(n), self.partition.parts(n)
        computed = self.partition.computed(count)
        places, parts = self._places(micro_batch, computed), [all_parts[i] for i in computed]
        dy, plans, totals = self._dy(n), [], []
        used, left = len(parts), self._left(n)
        with recording() as seen:  # shard by shard: what one was recorded in is free for the next
            for stream, (part, place) in enumerate(zip(parts, places, strict=False)):
                total, proposals = self._total(part, n, stream, step, place)
                plan = Plan(
                    total,
                    self._slots[stream],
                    proposals.values(),
                    dy=dy,
                    share=(part.stop - part.start) / n,
                    arena=None if arenas is None else arenas[stream % used],
                    compiled=compiled,
                    fused=fused,
                    left=left,
                )
                # plans that are divided wait for each other half-way: each keeps its memory
                if plan.undivided and arenas is not None:
                    used = min(self.threads(), len(parts))
                plans.append(plan)
                totals.append(total.value)
                if stream == 0:  # the values alone: not what they were made of
                    values = {name: Tensor(new.value) for name, new in proposals.items()}
                del total, proposals
        shards = Shards(plans, self.run_tasks, partial(self.partition.gather, count), used)
        completion = Completion(
            self._trained[: len(plans)],
            [self._products(plan) for plan in plans],
            [one.shifted(-computed.start) for one in self.partition.additions(count)],
        )
        return seen, plans, Recorded(totals, values, shards, count, computed, completion)

    def _left(self, n: int) -> list[Tensor]:
        """The weight matrices whose gradient is left to the completion.

        There are none in a profile, which measures each layer. The two factors of the product are
        kept for each shard, so they are not to be larger than the matrix.
        """
        if self.watch is not None:
            return []
        return [w for w in self._large if n * sum(w.shape) <= w.value.size]

    def _products(self, plan: Plan) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """The two factors of each gradient that the plan has left, by the name of the matrix."""
        parameters = self.network.parameters
        return {name: plan.products[w] for name, w in parameters.items() if w in plan.products}

    def _eager(self, n: int, step: int, micro_batch: int, want_gradient: bool) -> float:
        """Compute anew, operation by operation; arguments and result as those of a call."""
        if not self.data_dependent and self.partition.count(n) > 1:
            _, _, recorded = self._planned(n, step, micro_batch, None, compiled=False, fused=False)
            return self._run(recorded, step, micro_batch, want_gradient)
        place = micro_batch * self.partition.shards
        total, self.proposals = self._total(slice(n), n, 0, step, place)
        if want_gradient and math.isfinite(total.value):
            backward(total, self._dy(n), into=self._slots[0])
        return total.item()

    def _total(
        self, part: slice, n: int, stream: int, step: int, place: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum of the loss over some of the n rows, and the layers' proposed state.

        Args:
            part: Which rows.
            n: The number of rows in the batch.
            stream: The index of the random stream: that of the shard among those computed here.
            step, place: Where in the stream the shard's random numbers stand.
        """
        x = Tensor(self.batch.x[part], feed=True)
        proposals: dict[str, Tensor] = {}
        outputs = self.network(
            x, training=True, step=step, shard=place, stream=stream, rows=n, proposals=proposals
        )
        return self.batch.losses(self.loss, outputs, part).sum(), proposals

    def _dy(self, n: int) -> np.ndarray:
        """1 / the sum of the weights: what makes the gradient of the sum that of the mean."""
        return (
            np.array(1 / n, self.network.dtype) if self.batch.w is None else self.batch.per_weight
        )

    def _places(self, micro_batch: int, computed: range) -> Sequence[int]:
        """The place within the step of each random stream: one per shard that is computed here."""
        first = micro_batch * self.partition.shards + computed.start
        return range(first, first + self.partition.width)

    def _named(self, gradient: np.ndarray) -> dict[Tensor, np.ndarray]:
        """The slots of the trained parameters in a vector."""
        views, parameters = self.network.vector.named(gradient), self.network.parameters
        return {
            parameters[name]: view
            for name, view in views.items()
            if parameters[name] in self.network.slots
        }

    def _complete(self, recorded: Recorded) -> None:
        """Complete the gradient of every block, on all threads."""
        if recorded.completion:
            tasks = range(min(self.threads(), len(self._blocks)))
            complete = recorded.completion
            self.run_tasks(in_turn(lambda block, _: complete(block), self._blocks, tasks))
        self.partition.add_up(recorded.count, self._trained)
