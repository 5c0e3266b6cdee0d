"""The base of all callbacks: they observe a run; the training loop knows no logs and no files."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nettrain.training.evaluate import PartEvaluation
from nettrain.training.run import Run

Row = dict[str, Any]


class Callback:
    """Observes a run.

    What a callback remembers between epochs goes through `state` and `restore`, so that a resumed
    run is the same run.

    Example:
        class Halve(nettrain.Callback):
            def epoch_end(self, run, row):
                if row["epoch"] % 10 == 0:
                    run.rate_scale /= 2
    """

    def begin(self, run: Run) -> None:
        """Before the first batch, after a resume too."""

    def batch_end(self, run: Run) -> None:
        """After each update."""

    def epoch_end(self, run: Run, row: Row) -> None:
        """After each epoch and its evaluation.

        Args:
            run: Which a callback ends by setting `run.progress.stop_reason`.
            row: epoch, step, lr, train_loss, train_penalty, the metrics of the evaluated parts,
                seconds.
        """

    def interrupt(self, run: Run) -> None:
        """When a signal ends the run between two batches."""

    def diverged(self, run: Run) -> None:
        """When loss or weights are no longer finite, before the run ends with Diverged."""

    def end(self, run: Run) -> None:
        """After the last epoch, before the final evaluation."""

    def evaluated(self, run: Run, part: str, evaluation: PartEvaluation) -> None:
        """After the final evaluation of each part."""

    def summary(self, run: Run) -> dict[str, Any]:
        """What to add to summary.json, by name, after the final evaluation of all parts."""
        return {}

    def state(self) -> dict[str, Any]:
        """What must survive a restart, as JSON can hold it. Checkpoints store it."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned, before `begin`.

        Raises:
            KeyError, TypeError, ValueError: It is not what `state` returns.
        """


def by_key(callbacks: Sequence[Callback]) -> dict[str, Callback]:
    """Callbacks by the key of their state in checkpoints: the class, numbered from the second on.

    >>> list(by_key([Halve(), Halve()]))
    ['Halve', 'Halve-2']
    """
    counts: Counter[str] = Counter()
    keyed = {}
    for callback in callbacks:
        name = type(callback).__name__
        counts[name] += 1
        keyed[name if counts[name] == 1 else f"{name}-{counts[name]}"] = callback
    return keyed


def monitored_value(row: Row, name: str) -> float:
    """The monitored metric of a row; NaN, which is never an improvement, where it is missing."""
    value = row.get(name)
    return float("nan") if value is None else float(value)
