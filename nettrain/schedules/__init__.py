"""The bases of all schedules, and their catalogue, one per file: the learning rate over time.

Other numbers may follow them too: `Scheduled`.
"""

import dataclasses
from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Component, NonNegative, Record, Text, adapter


@dataclass(frozen=True, kw_only=True)
class Schedule(Component):
    """The learning rate over time: lr(t) = lr * factor(t), t = step / steps per epoch.

    It is evaluated before every step. A warm-up of W epochs comes first and rises linearly, (step +
    1) / (W * steps per epoch): its first step is not lost to a rate of zero (optax and the
    Transformers library start at zero). The schedule proper then sees t - W, and a horizon of
    epochs - W.
    """

    kind = "schedule"
    package = "nettrain.schedules"

    warmup: Annotated[
        NonNegative, Field(description="epochs of linear warm-up before the schedule starts")
    ] = 0.0

    @abstractmethod
    def factor(self, t: float, horizon: float) -> float:
        """Returns what multiplies the base rate.

        Args:
            t: epochs since the warm-up.
            horizon: epochs from the end of the warm-up to the end of the run.
        """

    @property
    def depends_on_horizon(self) -> bool:
        """Whether the length of the run changes the rate of its first steps.

        If so, an extended run differs from a run that was longer from the start.
        """
        return False

    def rate(self, lr: float, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Returns the learning rate of one step, counted from 0."""
        t = step / steps_per_epoch
        if t < self.warmup:
            return lr * min(1.0, (step + 1) / (self.warmup * steps_per_epoch))
        return lr * self.factor(t - self.warmup, epochs - self.warmup)


Memory = dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class MetricSchedule(Schedule):
    """A metric-driven schedule: lr(t) = lr * scale, where each epoch's metric may change the scale.

    The component itself keeps no state: a callback holds the memory, passes it to `observe` after
    every epoch, and saves it in checkpoints. Epochs that end within the warm-up are not observed.
    """

    monitor: Annotated[
        Text | None, Field(description="metric; null: the one that chooses the best checkpoint")
    ] = None

    def factor(self, t: float, horizon: float) -> float:
        """Returns 1: time alone changes nothing."""
        return 1.0

    @abstractmethod
    def start(self) -> Memory:
        """Returns the memory before the first epoch; its `scale` multiplies the rate."""

    @abstractmethod
    def observe(self, memory: Memory, value: float, *, higher_is_better: bool, lr: float) -> Memory:
        """Returns the memory after an epoch.

        Args:
            memory: that of the epoch before.
            value: of the monitored metric; NaN: not defined for its rows.
            higher_is_better: whether a larger value is an improvement.
            lr: the base rate.
        """


@dataclass(frozen=True)
class RunLength:
    """What a schedule needs to know of a run.

    Attributes:
        steps_per_epoch: steps of one epoch.
        epochs: of the whole run.
    """

    steps_per_epoch: int
    epochs: int


@dataclass(frozen=True, kw_only=True)
class Scheduled(Record):
    """A number that follows a schedule, as the learning rate does: value * factor(t).

    An error for metric-driven schedules, which change the learning rate alone.
    """

    value: Annotated[NonNegative, Field(description="the number where the factor is 1")]
    schedule: Annotated[Schedule, Field(description="what multiplies it over time")]

    def __post_init__(self) -> None:
        if isinstance(self.schedule, MetricSchedule):
            raise ValueError(
                f"{self.schedule.name()} follows a metric, and changes the learning rate alone: "
                "take a schedule of time"
            )

    def __str__(self) -> str:
        return f"{self.value:g} ({self.schedule.name()})"


Number = float | Scheduled


def from_mapping(value: object) -> object:
    """Returns the scheduled number of a mapping, and everything else as it is.

    As a BeforeValidator of `Share | Scheduled` it keeps what is wrong with a mapping apart from
    what is expected of a number.
    """
    return adapter(Scheduled).validate_python(value) if isinstance(value, dict) else value


def base_value(number: Number) -> float:
    """Returns a number without the schedule that it may follow."""
    return number.value if isinstance(number, Scheduled) else number


def number_at(number: Number, step: int, length: RunLength | None) -> float:
    """Returns a number in one step of a run, counted from 0; outside of runs its base value."""
    if length is None or not isinstance(number, Scheduled):
        return base_value(number)
    return number.schedule.rate(number.value, step, length.steps_per_epoch, length.epochs)


def schedules_within(settings: object) -> list[Schedule]:
    """Returns the schedules of all scheduled numbers in a section of a configuration."""
    if isinstance(settings, Scheduled):
        return [settings.schedule]
    if isinstance(settings, tuple):
        return [schedule for item in settings for schedule in schedules_within(item)]
    if dataclasses.is_dataclass(settings):
        return schedules_within(tuple(vars(settings).values()))
    return []
