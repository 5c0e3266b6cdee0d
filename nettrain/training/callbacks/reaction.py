"""A schedule that reacts to a metric."""

from collections.abc import Mapping
from typing import Any

from nettrain.metrics import direction
from nettrain.schedules import MetricSchedule
from nettrain.training.callbacks import Callback, Row, monitored_value
from nettrain.training.run import Run


class Reaction(Callback):
    """Shows the schedule each epoch's metric and sets the scale of the rate that it answers with; holds the schedule's memory."""

    def __init__(self, schedule: MetricSchedule) -> None:
        self.schedule = schedule
        self.memory = schedule.start()

    def begin(self, run: Run) -> None:
        """The scale as it was, after a resume."""
        run.rate_scale = self.memory["scale"] or 0.0

    def epoch_end(self, run: Run, row: Row) -> None:
        """Show it the metric, unless the warm-up is not over."""
        if run.progress.epoch <= self.schedule.warmup:
            return
        higher, lr = direction(run.schedule_monitor) is True, run.config.optimizer.lr
        self.memory = self.schedule.observe(
            self.memory, monitored_value(row, run.schedule_monitor), higher_is_better=higher, lr=lr
        )
        run.rate_scale = self.memory["scale"] or 0.0

    def state(self) -> dict[str, Any]:
        """The schedule's memory."""
        return dict(self.memory)

    def restore(self, state: Mapping[str, Any]) -> None:
        """The schedule's memory."""
        self.memory = {key: state[key] for key in self.memory}
