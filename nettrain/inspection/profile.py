"""Profiling: the time that each layer and each other part of a step takes."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from time import perf_counter
from typing import Any

from nettrain.autodiff.plan.plan import Calls, Plan
from nettrain.autodiff.trace import Recording
from nettrain.inspection.flops import Flops, layer_flops, sgemm_peak
from nettrain.training.callbacks import Callback, Row
from nettrain.training.engine.sharding import tiles_of
from nettrain.training.run import Run

LOSS = "loss"


@dataclass
class Stopwatch:
    """The seconds that one part of a plan took in the step under way."""

    seconds: float = 0.0

    def measure(self, calls: list[Callable[[], None]]) -> None:
        """Make the calls."""
        start = perf_counter()
        for call in calls:
            call()
        self.seconds += perf_counter() - start


@dataclass(frozen=True)
class Line:
    """A line of the profile.

    Attributes:
        name: A layer, or another part of a step.
        ms: Milliseconds per step.
        forward, backward: Of these in the two passes; None where the part has no passes.
        gflops: GFLOP/s of its products; None where it has none.
    """

    name: str
    ms: float
    forward: float | None = None
    backward: float | None = None
    gflops: float | None = None


class Profile(Callback):
    """Measures all steps of a run but those that record a plan (the first of each number of rows).

    What several threads do at once is counted once: a layer's time is the sum over its shards and
    tiles, divided by the threads that share them. A measurement adds about 0.2 microseconds. Fused
    operations count for the layer of the first of them. Results are bitwise identical with and
    without it.

    Attributes:
        steps: That were measured.
        epochs: Of them that were complete.
        peak: GFLOP/s of a large float32 product on the threads of the run.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.epochs = 0
        self.peak = 0.0
        self._seconds: dict[str | tuple[str, str], float] = defaultdict(float)
        # Of the step in progress: seconds by phase, and rows by pass.
        self._step: dict[str, float] = defaultdict(float)
        self._watches: list[tuple[tuple[str, str], Stopwatch]] = []
        self._inner = 0.0
        self._dropped = False
        self._between = False
        self._flops: dict[str, Flops] = {}

    def begin(self, run: Run) -> None:
        """Measure the peak, instrument the step."""
        self.peak = sgemm_peak(run.threads)
        shards = run.plan.shards
        self._sharing = {
            layer.name: min(run.threads, shards * tiles_of(layer)) for layer in run.network.layers
        }
        self._sharing[LOSS] = min(run.threads, shards)
        self._flops = layer_flops(run.network)
        run.step.instrument(self._measured)
        run.step.computation.watch = self._recorded
        self._mark = perf_counter()

    def batch_end(self, run: Run) -> None:
        """Take a step in."""
        if not self._dropped:
            self._seconds["step"] += perf_counter() - self._mark
            self.steps += 1
            for name, figure in self._step.items():
                self._seconds[name] += figure
            for key, watch in self._watches:
                self._seconds[key] += watch.seconds
        for _, watch in self._watches:
            watch.seconds = 0.0
        self._step.clear()
        self._dropped = False
        self._mark = perf_counter()

    def epoch_end(self, run: Run, row: Row) -> None:
        """What follows until the next step, checkpoints too, is time between two epochs."""
        self.epochs += 1
        self._between = True

    def end(self, run: Run) -> None:
        """Take in what came after the last epoch."""
        self._take_in_between()

    def _take_in_between(self) -> None:
        if self._between:
            now = perf_counter()
            self._seconds["between"] += now - self._mark
            self._mark, self._between = now, False

    @property
    def between_epochs(self) -> float:
        """Milliseconds per epoch for evaluation, logs and checkpoints."""
        return 1e3 * self._seconds["between"] / max(self.epochs, 1)

    @property
    def fused(self) -> list[str]:
        """Layers without time of their own: views, and those fused with the layer before."""
        return [name for name in self._flops if not self._layer(name).ms]

    def parts(self) -> list[Line]:
        """The lines: layers, the loss, the other parts of a step."""
        lines = [line for line in map(self._layer, [*self._flops, LOSS]) if line.ms]
        gather, update, compute = self._ms("gather"), self._ms("update"), self._ms("compute")
        lines += [Line("gather the batch", gather), Line("update", update)]
        lines.append(
            Line(
                "between layers (threads, sums over shards)",
                max(0.0, compute - sum(line.ms for line in lines[:-2])),
            )
        )
        return [*lines, Line("other", max(0.0, self._ms("step") - gather - update - compute))]

    def total(self) -> Line:
        """The whole step."""
        forward, backward = (self._seconds[f"rows {way}"] for way in ("forward", "backward"))
        done = sum(
            flops.forward * forward + flops.backward * backward for flops in self._flops.values()
        )
        return Line(
            "step",
            self._ms("step"),
            gflops=done / self._seconds["step"] / 1e9 if done and self.steps else None,
        )

    def _layer(self, name: str) -> Line:
        forward, backward = (
            self._ms((name, way)) / self._sharing[name] for way in ("forward", "backward")
        )
        flops = self._flops.get(name, Flops(0, 0))
        done = (
            flops.forward * self._seconds["rows forward"]
            + flops.backward * self._seconds["rows backward"]
        ) / max(self.steps, 1)
        ms = forward + backward
        return Line(name, ms, forward, backward, done / ms / 1e6 if done and ms else None)

    def _ms(self, key: str | tuple[str, str]) -> float:
        return 1e3 * self._seconds[key] / max(self.steps, 1)

    def _measured(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The phase of a step; its time counts for the name, without that of phases inside it."""

        def measured(*args: Any, **given: Any) -> Any:
            if name == "gather":
                self._take_in_between()
            elif name == "compute":
                self._step["rows forward"] += args[0]
                self._step["rows backward"] += args[0] if given.get("want_gradient", True) else 0
            outer, self._inner = self._inner, 0.0
            start = perf_counter()
            try:
                return call(*args, **given)
            finally:
                spent = perf_counter() - start
                self._step[name] += spent - self._inner
                self._inner = outer + spent

        return measured

    def _recorded(self, seen: Recording, plans: Sequence[Plan]) -> None:
        """Measure the calls of each layer in new plans."""
        self._dropped = True
        begins = [begin for _, begin, _ in seen.spans]

        def owner(call: tuple[Callable[[], None], int]) -> str:
            i = bisect_right(begins, call[1]) - 1
            return seen.spans[i][0] if i >= 0 and call[1] < seen.spans[i][2] else LOSS

        def measured(direction: str, calls: Calls, origins: Sequence[int]) -> Calls:
            grouped: Calls = []
            for name, group in groupby(zip(calls, origins, strict=True), owner):
                watch = Stopwatch()
                self._watches.append(((name, direction), watch))
                grouped.append(partial(watch.measure, [call for call, _ in group]))
            return grouped

        for plan in plans:
            plan.instrument(measured)
