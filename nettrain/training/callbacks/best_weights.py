"""The best weights so far."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nettrain.metrics import direction
from nettrain.training.artifacts.weights import Weights
from nettrain.training.callbacks import Callback, Row, monitored_value
from nettrain.training.run import Run


class BestWeights(Callback):
    """Keeps a copy of the weights of the epoch in which the monitored metric was best; of equals the first.

    fresh  whether the copy is newer than the best checkpoint on disk
    """

    def __init__(self) -> None:
        self.epoch: int | None = None
        self.value: float | None = None
        self.weights: Weights | None = None
        self.row: Row = {}
        self.fresh = False

    def epoch_end(self, run: Run, row: Row) -> None:
        """Copy the weights if the epoch was better."""
        value = monitored_value(row, run.monitor)
        if np.isnan(value) or (
            self.value is not None
            and not (value > self.value if direction(run.monitor) else value < self.value)
        ):
            return
        self.epoch, self.value, self.row, self.fresh = run.progress.epoch, value, row, True
        self.weights = run.weights().copy()

    def state(self) -> dict[str, Any]:
        """Epoch, value and row; the weights are in the best checkpoint."""
        return {"epoch": self.epoch, "value": self.value, "row": self.row}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Epoch, value and row."""
        self.epoch, self.value, self.row = state["epoch"], state["value"], dict(state["row"])
