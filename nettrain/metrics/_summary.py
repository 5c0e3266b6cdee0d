"""All metrics of an outcome at once, the tables per class or target, and the direction of each."""

import math
from collections.abc import Mapping
from functools import cache

import numpy as np

from nettrain.component import find, names, plugged_in
from nettrain.metrics._metric import Metric
from nettrain.metrics._outcome import (
    OUTCOMES,
    ClassOutcome,
    LabelOutcome,
    Outcome,
    ValueOutcome,
    not_finite,
)

PARTS = ("train", "validation", "test")
MINIMISED = ("loss", "penalty")  # logged beside the metrics, of no outcome


def _catalogue() -> dict[str, Metric]:
    """Returns every metric by name, those of plugins too."""
    return _made(plugged_in(Metric))


@cache
def _made(plugins: tuple[type, ...]) -> dict[str, Metric]:
    """Imports them once, and once more for each set of plugged-in metrics."""
    return {name: find(Metric, name)() for name in names(Metric)}  # type: ignore[misc]


def _by_outcome() -> dict[type, dict[str, Metric]]:
    """Returns the metrics of each type of outcome."""
    return {
        outcome: {
            name: metric for name, metric in _catalogue().items() if outcome in metric.outcomes
        }
        for outcome in OUTCOMES.values()
    }


def metrics_of(outcome: Outcome) -> dict[str, Metric]:
    """Returns every metric of this type of outcome, by name."""
    return _by_outcome()[type(outcome)]


def metric_names(task: str) -> tuple[str, ...]:
    """Returns the names of the metrics that `all_metrics` computes for a task."""
    return tuple(_by_outcome()[OUTCOMES[task]])


def task_metrics(task: str) -> dict[str, Metric]:
    """Returns the metrics of a task by name; inside `in_use`, those of plugins too."""
    return _by_outcome()[OUTCOMES[task]]


def all_metrics(outcome: Outcome, metrics: Mapping[str, Metric] | None = None) -> dict[str, float]:
    """Returns every metric of an outcome by name, without those that are not defined for it.

    Args:
        outcome: of the rows that were evaluated.
        metrics: those to compute; None: all that have names now.
    """
    if _unmeasurable(outcome):
        return {}
    chosen = metrics_of(outcome) if metrics is None else metrics
    values = {name: metric.value(outcome) for name, metric in chosen.items()}
    return {name: value for name, value in values.items() if value is not None}


def undefined_reason(
    name: str, outcome: Outcome, metrics: Mapping[str, Metric] | None = None
) -> str | None:
    """Returns why a metric is missing from `all_metrics`; None where it is there.

    Args:
        name: of a metric of this type of outcome, such as `r2`, or `loss`, which lacks a value only
            where a prediction is not finite.
        outcome: of the part that was evaluated.
        metrics: those that were computed; see `all_metrics`.
    """
    reason = _unmeasurable(outcome)
    if reason is not None or name == "loss":
        return reason
    metric = (metrics_of(outcome) if metrics is None else metrics)[name]
    return metric.undefined_reason(outcome) if metric.value(outcome) is None else None


def _unmeasurable(outcome: Outcome) -> str | None:
    """Why no metric is defined: without this a row of NaN would count as the first class."""
    n = len(outcome.targets)
    if n == 0:
        return "there are no rows"
    bad = len(not_finite(outcome))
    return f"{bad} of {n} predictions are not finite (NaN or infinite)" if bad else None


def bounds(metric: str) -> tuple[float, float]:
    """Returns the least and the greatest value of a metric; infinite for what is no metric."""
    return _catalogue()[metric].bounds if metric in _catalogue() else (-math.inf, math.inf)


def per_class_table(outcome: ClassOutcome | LabelOutcome) -> dict[str, np.ndarray]:
    """Returns the columns of the table of classes or labels, each (k,).

    They are precision, recall and F1, for labels accuracy and ROC AUC too, and support (rows that
    are of it). NaN for a class that never occurs.
    """
    chosen = (
        "precision",
        "recall",
        "f1",
        *(("label_accuracy", "roc_auc") if isinstance(outcome, LabelOutcome) else ()),
    )
    table = {name: _catalogue()[name].each(outcome) for name in chosen}
    return {name: column for name, column in table.items() if column is not None} | {
        "support": outcome.counts.actual
    }


def per_target_table(outcome: ValueOutcome) -> dict[str, np.ndarray]:
    """Returns every metric of each target column, each (t,)."""
    table = {name: metric.each(outcome) for name, metric in _by_outcome()[ValueOutcome].items()}
    return {name: column for name, column in table.items() if column is not None}


def direction(name: str) -> bool | None:
    """Returns whether higher is better for a name such as `validation_accuracy`.

    None: there is no such name. Names are `{train|validation|test}_{metric}`; loss and penalty
    count.
    """
    part, _, metric = name.partition("_")
    if part not in PARTS:
        return None
    if metric in MINIMISED:
        return False
    return _catalogue()[metric].higher_is_better if metric in _catalogue() else None
