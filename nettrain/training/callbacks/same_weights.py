"""All processes of a run hold the same weights: compared, or set, after each epoch."""

from collections.abc import Iterator

import numpy as np

from nettrain.errors import RunError
from nettrain.training.callbacks import Callback, Row
from nettrain.training.distributed.agreement import digest
from nettrain.training.run import Run


class SameWeights(Callback):
    """Compares a digest of all that a step changes; where bits may differ, process 0's is taken.

    Whether the run ends is taken from process 0 too. It must be called after the callbacks that
    decide, in every process.
    """

    def begin(self, run: Run) -> None:
        """Compare or set the weights that training begins with, or goes on from."""
        self._agree(run, f"before epoch {run.progress.epoch + 1}")

    def epoch_end(self, run: Run, row: Row) -> None:
        """Compare or set the weights, and end the run together."""
        self._agree(run, f"after epoch {run.progress.epoch}")

    def _agree(self, run: Run, when: str) -> None:
        group = run.group
        if group.allows_different_bits:
            for array in changing(run):
                group.broadcast(array)
        own = (digest(list(changing(run))), run.progress.stop_reason, run.rate_scale)
        everyone = group.gather_values(own)
        others = [rank for rank, one in enumerate(everyone) if one[0] != everyone[0][0]]
        if others:
            raise RunError(
                f"process {', '.join(map(str, others))} has other weights than process 0 {when}: a "
                "file that initial weights come from, a plugin, or the hardware differs; the last "
                "checkpoint is that of process 0"
            )
        _, run.progress.stop_reason, run.rate_scale = everyone[0]


def changing(run: Run) -> Iterator[np.ndarray]:
    """The arrays that a step or an epoch changes."""
    yield run.network.vector.values
    yield from run.network.state.values()
    yield from run.update.slots.values()
    if run.update.average is not None:
        yield run.update.average.values
        yield from run.average_state.values()
