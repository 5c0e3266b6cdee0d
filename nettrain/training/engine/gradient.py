"""The loss of a batch and its gradient: recorded once per number of rows, then replayed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from nettrain.autodiff.backward import backward
from nettrain.autodiff.plan.memory import Arena
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.plan.shards import RunTasks, Shards
from nettrain.autodiff.tensor import Tensor
from nettrain.autodiff.trace import Recording, recording
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.training.engine.batch import Batch
from nettrain.training.engine.threads import run_serially


@dataclass(frozen=True)
class Recorded:
    """The computation of a batch of some number of rows.

    Attributes:
        totals: The loss of each shard.
        proposals: The new values of the layers' state.
        shards: The plans that compute both again.
    """

    totals: list[np.ndarray]
    proposals: dict[str, Tensor]
    shards: Shards


class GradientComputation:
    """The weighted sum of the loss over the rows in a batch, and the gradient of its mean.

    The gradient is written into the network's vector.

    Args:
        network: Holds the weights.
        loss: Of each row.
        batch: The rows.
        shards: Parts into which the rows are divided. The bits depend on it, and on nothing else of
            how the parts are run.
        run_tasks: Runs independent tasks, on one thread or several.
        replay: Whether recorded steps are replayed. False records every step anew and runs it
            operation by operation, each in arrays of its own: bitwise identical, for tests.
        compiled: Whether operations that have compiled kernels use them in a replay.

    Attributes:
        watch: Called with every recording and the plans made of it; for profiling.
        data_dependent: Whether a layer has data-dependent control flow. Everything then runs
            eagerly, without shards.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        batch: Batch,
        *,
        shards: int = 1,
        run_tasks: RunTasks = run_serially,
        replay: bool = True,
        compiled: bool = False,
    ) -> None:
        self.network = network
        self.loss = loss
        self.batch = batch
        self.shards = shards
        self.replay = replay
        self._compiled = compiled
        self.data_dependent = False
        self.run_tasks = run_tasks
        self.watch: Callable[[Recording, Sequence[Plan]], None] | None = None
        self.proposals: dict[str, Tensor] = {}
        self._recorded: dict[int, Recorded] = {}
        self._arenas = [Arena() for _ in range(shards)]
        self._gradients = [
            network.vector.gradient,
            *(np.zeros_like(network.vector.gradient) for _ in range(shards - 1)),
        ]
        self._slots = [self._named(gradient) for gradient in self._gradients]
        cuts = np.linspace(0, len(network.vector), shards + 1).astype(int)
        self._sums = [partial(self._sum, slice(start, stop)) for start, stop in pairwise(cuts)]

    def __call__(
        self, n: int, *, step: int, micro_batch: int = 0, want_gradient: bool = True
    ) -> float:
        """Compute the loss of the first n rows, and its gradient unless the loss is not finite.

        Args:
            n: Rows.
            step, micro_batch: Place the random streams.
            want_gradient: Whether the gradient is computed.
        """
        if self.replay and not self.data_dependent:
            recorded = self._recorded.get(n) or self._record(n, step, micro_batch)
        if not self.replay or self.data_dependent:
            return self._eager(n, step, micro_batch, want_gradient)
        return self._run(recorded, step, micro_batch, want_gradient)

    def _run(self, recorded: Recorded, step: int, micro_batch: int, want_gradient: bool) -> float:
        self.network.seek(step, self._places(micro_batch))
        recorded.shards.forward()
        self.proposals = recorded.proposals
        value = sum(map(float, recorded.totals))
        if want_gradient and math.isfinite(value):  # NumPy's takes 0.5 us for a number
            recorded.shards.backward()
            self._add_up(len(recorded.totals))
        return value

    def commit(self) -> None:
        """Let the layers take over the state that they proposed in what was computed last."""
        self.network.commit(self.proposals)

    def _record(self, n: int, step: int, micro_batch: int) -> Recorded:
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
        if self.watch is not None:
            self.watch(seen, plans)
        self._recorded[n] = recorded
        return recorded

    def _planned(
        self,
        n: int,
        step: int,
        micro_batch: int,
        arenas: Sequence[Arena | None],
        *,
        compiled: bool,
        fused: bool,
    ) -> tuple[Recording, list[Plan], Recorded]:
        parts = self._parts(n)
        with recording() as seen:
            made = [
                self._total(part, n, stream, step, micro_batch) for stream, part in enumerate(parts)
            ]
        dy, shares = self._dy(n), [(part.stop - part.start) / n for part in parts]
        plans = [
            Plan(
                total,
                slots,
                proposals.values(),
                dy=dy,
                share=share,
                arena=arena,
                compiled=compiled,
                fused=fused,
            )
            for slots, (total, proposals), share, arena in zip(
                self._slots, made, shares, arenas, strict=False
            )
        ]
        proposals = {
            name: Tensor(tensor.value) for name, tensor in made[0][1].items()
        }  # the values alone: not what they were made of
        return (
            seen,
            plans,
            Recorded([total.value for total, _ in made], proposals, Shards(plans, self.run_tasks)),
        )

    def _eager(self, n: int, step: int, micro_batch: int, want_gradient: bool) -> float:
        if not self.data_dependent and len(self._parts(n)) > 1:
            _, _, recorded = self._planned(
                n, step, micro_batch, [None] * self.shards, compiled=False, fused=False
            )
            return self._run(recorded, step, micro_batch, want_gradient)
        total, self.proposals = self._total(slice(0, n), n, 0, step, micro_batch)
        if want_gradient and math.isfinite(total.value):
            backward(total, self._dy(n), into=self._slots[0])
        return total.item()

    def _total(
        self, part: slice, n: int, stream: int, step: int, micro_batch: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum of the loss over some of the n rows, and the layers' proposed state."""
        x = Tensor(self.batch.x[part], feed=True)
        proposals: dict[str, Tensor] = {}
        place = self._places(micro_batch)[stream]
        outputs = self.network(
            x, training=True, step=step, shard=place, stream=stream, rows=n, proposals=proposals
        )
        return self.batch.losses(self.loss, outputs, part).sum(), proposals

    def _dy(self, n: int) -> np.ndarray:
        """What makes the gradient of the sum that of the mean."""
        return (
            np.array(1 / n, self.network.dtype) if self.batch.w is None else self.batch.per_weight
        )

    def _parts(self, n: int) -> list[slice]:
        """The rows of each shard: equal in number, but for one more in the first ones."""
        count = min(self.shards, n)
        few, more = divmod(n, count)
        stops = [(i + 1) * few + min(i + 1, more) for i in range(count)]
        return [slice(start, stop) for start, stop in zip([0, *stops], stops, strict=False)]

    def _places(self, micro_batch: int) -> Sequence[int]:
        """Where in a step's random streams each shard of a micro_batch stands."""
        return range(micro_batch * self.shards, (micro_batch + 1) * self.shards)

    def _named(self, gradient: np.ndarray) -> dict[Tensor, np.ndarray]:
        """The slots of the trained parameters in a vector."""
        views, parameters = self.network.vector.named(gradient), self.network.parameters
        return {
            parameters[name]: view
            for name, view in views.items()
            if parameters[name] in self.network.slots
        }

    def _add_up(self, count: int) -> None:
        if count > 1:
            self.run_tasks([partial(task, count) for task in self._sums])

    def _sum(self, part: slice, count: int) -> None:
        """The batch's gradient: the sum over the shards, in their order."""
        for gradient in self._gradients[1:count]:
            self._gradients[0][part] += gradient[part]
