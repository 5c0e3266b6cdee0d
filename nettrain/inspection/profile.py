"""Where the time of a step goes: a callback that puts clocks into a run's plans, and changes no bit of what they compute."""

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
class Clock:
    """The seconds that one part of a plan took in the step under way."""

    seconds: float = 0.0

    def around(self, calls: list[Callable[[], None]]) -> None:
        """Make the calls."""
        start = perf_counter()
        for call in calls:
            call()
        self.seconds += perf_counter() - start


@dataclass(frozen=True)
class Part:
    """A line of the profile, in milliseconds a step. forward, backward: None where a part has no such passes; gflops: GFLOP/s."""

    name: str
    ms: float
    forward: float | None = None
    backward: float | None = None
    gflops: float | None = None


class Profile(Callback):
    """Clocks all steps of a run but those that record a plan (the first of each number of rows). To be the last of the callbacks.

    What several threads do at once is counted once: a layer's time is the sum over its shards and tiles, divided by the threads that
    share them. A clock takes about 0.2 microseconds of what it measures. Fused operations count for the layer of the first of them.

    steps   that were clocked
    epochs  of them that were complete
    peak    GFLOP/s of a large float32 product on the threads of the run
    """

    def __init__(self) -> None:
        self.steps = 0
        self.epochs = 0
        self.peak = 0.0
        self._seconds: dict[str | tuple[str, str], float] = defaultdict(float)
        self._step: dict[str, float] = defaultdict(
            float
        )  # of the step under way: seconds by name, and rows by pass
        self._clocks: list[tuple[tuple[str, str], Clock]] = []
        self._inner = 0.0
        self._dropped = False
        self._flops: dict[str, Flops] = {}

    def begin(self, run: Run) -> None:
        """Measure the peak, put the clocks in."""
        self.peak = sgemm_peak(run.threads)
        self._sharing = {
            p.name: min(run.threads, run.shards * tiles_of(p)) for p in run.network.layers
        }
        self._sharing[LOSS] = min(run.threads, run.shards)
        self._flops = layer_flops(run.network)
        step, compute = run.step, self._clocked("compute", run.step.compute)

        def computed(n: int, *, want_gradient: bool = True, **place: int) -> float:
            self._step["rows forward"] += n
            self._step["rows backward"] += n if want_gradient else 0
            return float(compute(n, want_gradient=want_gradient, **place))

        step.compute = computed
        step.gather = self._clocked("gather", step.gather)
        step.apply = self._clocked("update", step.apply)
        step.computation.watch = self._recorded
        self._mark = perf_counter()

    def batch_end(self, run: Run) -> None:
        """Take a step in."""
        if not self._dropped:
            self._seconds["step"] += perf_counter() - self._mark
            self.steps += 1
            for name, figure in self._step.items():
                self._seconds[name] += figure
            for key, clock in self._clocks:
                self._seconds[key] += clock.seconds
        for _, clock in self._clocks:
            clock.seconds = 0.0
        self._step.clear()
        self._dropped = False
        self._mark = perf_counter()

    def epoch_end(self, run: Run, row: Row) -> None:
        """Take in what stands between two epochs."""
        self._seconds["between"] += perf_counter() - self._mark
        self.epochs += 1
        self._mark = perf_counter()

    @property
    def between_epochs(self) -> float:
        """Milliseconds an epoch for evaluation, logs and checkpoints."""
        return 1e3 * self._seconds["between"] / max(self.epochs, 1)

    @property
    def fused(self) -> list[str]:
        """Layers without time of their own: views, and those that are computed together with the layer before."""
        return [name for name in self._flops if not self._layer(name).ms]

    def parts(self) -> list[Part]:
        """The lines: layers, the loss, the other parts of a step."""
        lines = [line for line in map(self._layer, [*self._flops, LOSS]) if line.ms]
        gather, update, compute = self._ms("gather"), self._ms("update"), self._ms("compute")
        lines += [Part("gather the batch", gather), Part("update", update)]
        lines.append(
            Part(
                "between layers (threads, sums over shards)",
                max(0.0, compute - sum(line.ms for line in lines[:-2])),
            )
        )
        return [*lines, Part("rest", max(0.0, self._ms("step") - gather - update - compute))]

    def total(self) -> Part:
        """The whole step."""
        forward, backward = (self._seconds[f"rows {way}"] for way in ("forward", "backward"))
        done = sum(
            flops.forward * forward + flops.backward * backward for flops in self._flops.values()
        )
        return Part(
            "step",
            self._ms("step"),
            gflops=done / self._seconds["step"] / 1e9 if done and self.steps else None,
        )

    def _layer(self, name: str) -> Part:
        forward, backward = (
            self._ms((name, way)) / self._sharing[name] for way in ("forward", "backward")
        )
        flops = self._flops.get(name, Flops(0, 0))
        done = (
            flops.forward * self._seconds["rows forward"]
            + flops.backward * self._seconds["rows backward"]
        ) / max(self.steps, 1)
        ms = forward + backward
        return Part(name, ms, forward, backward, done / ms / 1e6 if done and ms else None)

    def _ms(self, key: str | tuple[str, str]) -> float:
        return 1e3 * self._seconds[key] / max(self.steps, 1)

    def _clocked(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, its time counted for the name, but for what is clocked inside it."""

        def clocked(*args: Any, **given: Any) -> Any:
            outer, self._inner = self._inner, 0.0
            start = perf_counter()
            try:
                return call(*args, **given)
            finally:
                spent = perf_counter() - start
                self._step[name] += spent - self._inner
                self._inner = outer + spent

        return clocked

    def _recorded(self, seen: Recording, plans: Sequence[Plan]) -> None:
        """Put a clock around the calls of each layer."""
        self._dropped = True
        begins = [begin for _, begin, _ in seen.spans]

        def owner(call: tuple[Callable[[], None], int]) -> str:
            i = bisect_right(begins, call[1]) - 1
            return seen.spans[i][0] if i >= 0 and call[1] < seen.spans[i][2] else LOSS

        def clocked(direction: str, calls: Calls, origins: Sequence[int]) -> Calls:
            around: Calls = []
            for name, group in groupby(zip(calls, origins, strict=True), owner):
                clock = Clock()
                self._clocks.append(((name, direction), clock))
                around.append(partial(clock.around, [call for call, _ in group]))
            return around

        for plan in plans:
            plan.instrument(clocked)
