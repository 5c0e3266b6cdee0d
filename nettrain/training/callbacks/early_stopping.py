"""Early stopping."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from nettrain.component import Index
from nettrain.config.run_config import EarlyStopping as Settings
from nettrain.training.callbacks import Callback, Row
from nettrain.training.monitor import Monitor
from nettrain.training.run import Run


@dataclass(frozen=True, config={"extra": "forbid"})
class State:
    """The best value so far, and the epochs since."""

    value: float | None
    waited: Index


class EarlyStopping(Callback):
    """Stops after `patience` epochs without an improvement of more than `min_delta`.

    Prechelt 1998, "Early Stopping - But When?".
    """

    def __init__(self, settings: Settings, monitor: Monitor) -> None:
        self.settings = settings
        self.monitor = monitor
        self.value: float | None = None
        self.waited = 0

    def begin(self, run: Run) -> None:
        """A run that was stopped stays stopped, unless it is resumed with more patience."""
        self._stop(run)

    def epoch_end(self, run: Run, row: Row) -> None:
        """Count the epochs without improvement."""
        value = self.monitor.value(row)
        if self.monitor.improves(value, self.value, self.settings.min_delta):
            self.value, self.waited = value, 0
        else:
            self.waited += 1
        self._stop(run)

    def _stop(self, run: Run) -> None:
        if self.waited >= self.settings.patience:
            run.progress.stop_reason = "early_stopping"

    def state(self) -> dict[str, Any]:
        """The best value and the epochs since."""
        return asdict(State(self.value, self.waited))

    def restore(self, state: Mapping[str, Any]) -> None:
        """The best value and the epochs since."""
        restored = TypeAdapter(State).validate_python(dict(state))
        self.value, self.waited = restored.value, restored.waited
