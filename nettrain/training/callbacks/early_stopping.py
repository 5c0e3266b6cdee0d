"""Early stopping."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nettrain.config.run_config import EarlyStopping as Settings
from nettrain.metrics import direction
from nettrain.training.callbacks import Callback, Row, monitored_value
from nettrain.training.run import Run


class EarlyStopping(Callback):
    """Stops after `patience` epochs without an improvement of more than min_delta.  Prechelt 1998, "Early Stopping - But When?"."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.value: float | None = None
        self.waited = 0

    def begin(self, run: Run) -> None:
        """A run that was stopped stays stopped, unless it is resumed with more patience."""
        self._stop(run)

    def epoch_end(self, run: Run, row: Row) -> None:
        """Count the epochs without improvement."""
        value = monitored_value(row, run.stopping_monitor)
        sign = 1 if direction(run.stopping_monitor) else -1
        if not np.isnan(value) and (
            self.value is None or sign * (value - self.value) > self.settings.min_delta
        ):
            self.value, self.waited = value, 0
        else:
            self.waited += 1
        self._stop(run)

    def _stop(self, run: Run) -> None:
        if self.waited >= self.settings.patience:
            run.progress.stop_reason = "early_stopping"

    def state(self) -> dict[str, Any]:
        """The best value and the epochs since."""
        return {"value": self.value, "waited": self.waited}

    def restore(self, state: Mapping[str, Any]) -> None:
        """The best value and the epochs since."""
        self.value, self.waited = state["value"], int(state["waited"])
