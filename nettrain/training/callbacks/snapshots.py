"""Snapshots: the weights every few epochs, for pictures of how training moved them."""

from nettrain.training.callbacks import Callback, Row
from nettrain.training.run import Run


class SnapshotWriter(Callback):
    """Writes the weights before the first epoch, and after every `every` epochs.

    A resumed run has exactly the snapshots of an uninterrupted one: those after its checkpoint are
    removed when it resumes, and written again.

    Args:
        every: Epochs from one snapshot to the next.
    """

    def __init__(self, every: int) -> None:
        self.every = every

    def begin(self, run: Run) -> None:
        """Remove what came after the checkpoint; a run that begins writes its initial weights."""
        if run.directory is None:
            return
        run.directory.snapshots.cut(run.progress.epoch)
        if (run.progress.epoch, run.progress.batch) == (0, 0):
            self._write(run)

    def epoch_end(self, run: Run, row: Row) -> None:
        """Write, if it is one of these epochs."""
        if run.progress.epoch % self.every == 0:
            self._write(run)

    def _write(self, run: Run) -> None:
        if run.directory is not None:
            run.directory.snapshots.write(run.progress.epoch, run.weights(), run.network.vector)
