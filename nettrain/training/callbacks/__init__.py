"""The base of all callbacks: they observe a run; the loop knows nothing of metrics files, checkpoints or early stopping."""

from collections.abc import Mapping
from typing import Any

from nettrain.training.evaluate import PartEvaluation
from nettrain.training.run import Run

Row = dict[str, Any]


class Callback:
    """Observes a run; whatever it remembers between epochs goes through `state` and `restore`, so that a resumed run is the same run."""

    def begin(self, run: Run) -> None:
        """Before the first batch, after a resume too."""

    def batch_end(self, run: Run) -> None:
        """After each update."""

    def epoch_end(self, run: Run, row: Row) -> None:
        """After each epoch and its evaluation. row: epoch, step, lr, train_loss, penalty, the watched parts' metrics, seconds."""

    def interrupt(self, run: Run) -> None:
        """When a signal ends the run between two batches."""

    def diverged(self, run: Run) -> None:
        """When loss or weights are no longer finite, before the run ends with Diverged."""

    def end(self, run: Run) -> None:
        """After the last epoch, before the final evaluation."""

    def evaluated(self, run: Run, part: str, evaluation: PartEvaluation) -> None:
        """After the final evaluation of each part."""

    def state(self) -> dict[str, Any]:
        """What must survive a restart, as JSON can hold it."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""


def monitored_value(row: Row, name: str) -> float:
    """The monitored metric of a row; NaN, which is never an improvement, where it is not defined for these rows."""
    value = row.get(name)
    return float("nan") if value is None else float(value)
