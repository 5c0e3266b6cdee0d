"""The bases of all schedules, and their catalogue, one a file: the learning rate as a function of the fractional epoch, or of a metric."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Component, NonNegative, Text


@dataclass(frozen=True, kw_only=True)
class Schedule(Component):
    """lr(t) = lr * factor(t): evaluated before every step at t = step / steps per epoch.

    A warm-up of W epochs comes first and rises linearly, (step + 1) / (W * steps per epoch): its first step is not lost to a rate
    of zero (optax and the Transformers library start at zero). The schedule proper then sees t - W, and a horizon of epochs - W.
    """

    kind = "schedule"
    package = "nettrain.schedules"

    warmup: Annotated[
        NonNegative, Field(description="epochs of linear rise before the schedule starts")
    ] = 0.0

    @abstractmethod
    def factor(self, t: float, horizon: float) -> float:
        """The share of the base rate at t epochs after the warm-up, of `horizon` epochs in all."""

    @property
    def depends_on_horizon(self) -> bool:
        """Whether another number of epochs changes the rate of the same step: such a run, when extended, differs from a longer one."""
        return False

    def rate(self, lr: float, step: int, steps_per_epoch: int, epochs: int) -> float:
        """The learning rate of one step, counted from 0."""
        t = step / steps_per_epoch
        if t < self.warmup:
            return lr * min(1.0, (step + 1) / (self.warmup * steps_per_epoch))
        return lr * self.factor(t - self.warmup, epochs - self.warmup)


Memory = dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class MetricSchedule(Schedule):
    """A schedule that a metric moves: lr(t) = lr * scale, where the scale may change at each epoch's end.

    The component itself remembers nothing: a callback holds the memory, hands it back at every epoch's end, and saves it in checkpoints.
    Epochs that end within the warm-up are not observed.
    """

    monitor: Annotated[
        Text | None, Field(description="metric; null: the one that chooses the best checkpoint")
    ] = None

    def factor(self, t: float, horizon: float) -> float:
        """Always 1: time alone changes nothing."""
        return 1.0

    @abstractmethod
    def start(self) -> Memory:
        """The memory before the first epoch; its `scale` multiplies the rate."""

    @abstractmethod
    def observe(self, memory: Memory, value: float, *, higher_is_better: bool, lr: float) -> Memory:
        """The memory after an epoch in which the metric was `value` (NaN: not defined for its rows); lr: the base rate."""
