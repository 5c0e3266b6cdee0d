"""Metric-driven schedules: the learning rate follows a metric."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from nettrain.schedules import MetricSchedule
from nettrain.training.callbacks import Callback, Row
from nettrain.training.monitor import Monitor
from nettrain.training.run import Run


class ScheduleByMetric(Callback):
    """Shows the schedule each epoch's metric and sets the scale of the rate that it answers with.

    Attributes:
        memory: What the schedule remembers.
    """

    def __init__(self, schedule: MetricSchedule, monitor: Monitor) -> None:
        self.schedule = schedule
        self.monitor = monitor
        self.memory = schedule.start()

    def begin(self, run: Run) -> None:
        """The scale as it was, after a resume."""
        run.rate_scale = self.memory["scale"] or 0.0

    def epoch_end(self, run: Run, row: Row) -> None:
        """Show it the metric, unless the warm-up is not over."""
        if run.progress.epoch <= self.schedule.warmup:
            return
        self.memory = self.schedule.observe(
            self.memory,
            self.monitor.value(row),
            higher_is_better=self.monitor.higher_is_better,
            lr=run.config.optimizer.lr,
        )
        run.rate_scale = self.memory["scale"] or 0.0

    def state(self) -> dict[str, Any]:
        """The schedule's memory."""
        return dict(self.memory)

    def restore(self, state: Mapping[str, Any]) -> None:
        """The schedule's memory."""
        values = {key: state[key] for key in self.memory}
        self.memory = TypeAdapter(dict[str, float | None]).validate_python(values, strict=True)
