"""Whether a step is too short for several processes: measured in the first steps, told once."""

import math
import time

from nettrain.training.callbacks import Callback
from nettrain.training.engine.distributed_partition import DistributedPartition
from nettrain.training.run import Run

SKIPPED = 5  # steps, in which plans are recorded and kernels compiled
MEASURED = 20  # steps after them
MOST = 0.5  # of a step


class ExchangeTime(Callback):
    """Warns where exchanging gradients takes more than half of a step."""

    def __init__(self) -> None:
        self._steps = 0
        self._seconds = self._exchanging = 0.0
        self._last = (0.0, 0.0, 0)

    def batch_end(self, run: Run) -> None:
        """Measure steps that follow upon another one of the same epoch."""
        partition = run.step.partition
        if self._steps > MEASURED or not isinstance(partition, DistributedPartition):
            return
        now = (time.perf_counter(), partition.seconds, partition.sent)
        before, self._last = self._last, now
        if run.progress.batch <= 1 or run.update.steps <= SKIPPED:
            return
        self._steps += 1
        self._seconds += now[0] - before[0]
        self._exchanging += now[1] - before[1]
        if self._steps == MEASURED:
            self._tell(run, now[2] - before[2])

    def _tell(self, run: Run, sent: int) -> None:
        step, exchange = self._seconds / MEASURED, self._exchanging / MEASURED
        if exchange <= MOST * step:
            return
        size, computing = run.group.size, step - exchange
        alone = f"one process alone would take about {_ms(computing * size)}"
        rows = run.plan.batch_size * 2 ** math.ceil(math.log2(exchange / max(computing, 1e-9)))
        pays = (
            f"{alone}, which is faster"
            if computing * size <= step
            else f"{alone}; training.batch_size: {rows} (now {run.plan.batch_size}), fewer "
            "processes or a faster network would pay"
        )
        run.warn(
            f"exchanging gradients takes {100 * exchange / step:.0f} % of a step "
            f"({_ms(exchange)} of {_ms(step)}, {sent / 1e6:.2g} MB sent per process): {pays}"
        )


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms"
