"""The weights of the best epoch so far."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from nettrain.component import Count
from nettrain.training.artifacts.weights import Weights
from nettrain.training.callbacks import Callback, Row
from nettrain.training.monitor import TEMPERATURE, Monitor
from nettrain.training.run import Run
from nettrain.training.temperature import is_inside


@dataclass(frozen=True, config={"extra": "forbid"})
class State:
    """The best epoch, the value of the monitored metric in it, and its row."""

    epoch: Count | None
    value: float | None
    row: dict[str, Any]


class BestWeights(Callback):
    """Keeps a copy of the weights of the epoch in which a metric was best; of equals the first.

    Args:
        monitor: The metric; None: no epoch is chosen, and nothing is kept.

    Attributes:
        epoch: The best epoch; None before the first.
        value: The monitored metric in it.
        row: All its metrics.
        weights: Their copy.
        fresh: Whether the copy is newer than the best checkpoint on disk.
    """

    def __init__(self, monitor: Monitor | None) -> None:
        self.monitor = monitor
        self.epoch: int | None = None
        self.value: float | None = None
        self.weights: Weights | None = None
        self.row: Row = {}
        self.fresh = False

    def epoch_end(self, run: Run, row: Row) -> None:
        """Copy the weights if the epoch was better."""
        if self.monitor is None:
            return
        value = self.monitor.value(row)
        if self.monitor.improves(value, self.value):
            self.epoch, self.value, self.row = run.progress.epoch, value, row
            self.weights, self.fresh = run.weights().copy(), True

    @property
    def temperature(self) -> float | None:
        """With `training.refine` that of the best epoch; None: nothing is corrected."""
        found = self.row.get(TEMPERATURE)
        return float(found) if found is not None and is_inside(found) else None

    def state(self) -> dict[str, Any]:
        """Epoch, value and row; the weights are in the best checkpoint."""
        return asdict(State(self.epoch, self.value, self.row))

    def restore(self, state: Mapping[str, Any]) -> None:
        """Epoch, value and row."""
        restored = TypeAdapter(State).validate_python(dict(state))
        if self.monitor is None or restored.epoch is None:
            return
        value = self.monitor.value(restored.row)  # another metric may be monitored from here on
        self.epoch, self.row = restored.epoch, restored.row
        self.value = None if value != value else value
