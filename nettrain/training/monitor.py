"""Monitors: metrics that every epoch logs and by which something is decided."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from nettrain.errors import ConfigError, nearest
from nettrain.metrics import Metric

MINIMISED = ("loss", "penalty")  # logged beside the metrics
REFINED = "validation_refined_log_loss"  # with training.refine
TEMPERATURE = "validation_temperature"
UNEVALUATED = ("train_loss", "train_penalty")  # known without evaluating the training part


@dataclass(frozen=True)
class Monitor:
    """A metric of every epoch.

    Attributes:
        key: Where it was configured, for messages: `early_stopping.monitor`.
        name: `{train|validation}_{metric}`.
        higher_is_better: Whether larger values are better.
    """

    key: str
    name: str
    higher_is_better: bool

    @property
    def evaluated_part(self) -> str | None:
        """The part that must be evaluated for it at the end of each epoch."""
        return None if self.name in UNEVALUATED else self.name.partition("_")[0]

    @property
    def metric(self) -> str:
        """The name without its part: `accuracy`."""
        return self.name.partition("_")[2]

    def value(self, row: Mapping[str, Any]) -> float:
        """The value in an epoch's row; NaN, which is never an improvement, where it is missing."""
        value = row.get(self.name)
        return float("nan") if value is None else float(value)

    def improves(self, value: float, best: float | None, min_delta: float = 0.0) -> bool:
        """Whether a value is better than the best so far by more than min_delta; NaN never is."""
        if value != value:
            return False
        gain = 0.0 if best is None else value - best if self.higher_is_better else best - value
        return best is None or gain > min_delta


def monitor(
    key: str, name: str, *, parts: Collection[str], task: str, metrics: Mapping[str, Metric]
) -> Monitor:
    """The monitor of a name.

    Args:
        key: Where it is configured.
        name: `{train|validation}_{metric}`.
        parts: The names of the parts that there are.
        task: What is learned, for messages.
        metrics: The metrics of that task.

    Raises:
        ConfigError: The part or the metric does not exist.
    """
    part, _, metric = name.partition("_")
    if part not in parts:
        raise ConfigError(
            f"{key}: {name} needs a {part} part, and there is none: set dataset.split.{part}, "
            "or monitor train_loss"
        )
    known = ["loss", *metrics] + (["penalty"] if part == "train" else [])
    if metric not in known:
        hint = nearest(metric, known) or f"; there are: {', '.join(known)}"
        raise ConfigError(f"{key}: {name} is no metric of {task}{hint}")
    return Monitor(key, name, metric not in MINIMISED and metrics[metric].higher_is_better)
