"""All metrics of an outcome at once: the figures that an epoch logs, the tables a class or target, and which way each is better."""

from functools import cache

import numpy as np

from nettrain.component import find, names, plugged_in
from nettrain.metrics._metric import Metric
from nettrain.metrics._outcome import OUTCOMES, ClassOutcome, LabelOutcome, Outcome, ValueOutcome

PARTS = ("train", "validation", "test")
MINIMISED = ("loss", "penalty")  # logged beside the metrics, of no outcome


def _catalogue() -> dict[str, Metric]:
    """Every metric by name, a plugin's too."""
    return _made(plugged_in(Metric))


@cache
def _made(plugins: tuple[type, ...]) -> dict[str, Metric]:
    """Imported once, and once more for each set of plugged-in metrics."""
    return {name: find(Metric, name)() for name in names(Metric)}  # type: ignore[misc]


def _by_outcome() -> dict[type, dict[str, Metric]]:
    """The metrics of each kind of outcome."""
    return {
        outcome: {
            name: metric for name, metric in _catalogue().items() if outcome in metric.outcomes
        }
        for outcome in OUTCOMES.values()
    }


def metric_names(task: str) -> tuple[str, ...]:
    """The names of the metrics that `all_metrics` gives for a task."""
    return tuple(_by_outcome()[OUTCOMES[task]])


def all_metrics(outcome: Outcome) -> dict[str, float]:
    """Every metric of this kind of outcome by name; one that is not defined for these rows is left out."""
    figures = (
        (name, metric.value(outcome)) for name, metric in _by_outcome()[type(outcome)].items()
    )
    return {name: figure for name, figure in figures if figure is not None}


def per_class_table(outcome: ClassOutcome | LabelOutcome) -> dict[str, np.ndarray]:
    """precision, recall, f1 of each class or label, a label's accuracy and ROC AUC too, and support (rows that are of it).

    NaN for a class that never occurs.
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
    """Every metric of each target column."""
    table = {name: metric.each(outcome) for name, metric in _by_outcome()[ValueOutcome].items()}
    return {name: column for name, column in table.items() if column is not None}


def direction(name: str) -> bool | None:
    """Whether more is better in `{train|validation|test}_{metric}`: `validation_accuracy` yes, `train_loss` no; None: no such name."""
    part, _, metric = name.partition("_")
    if part not in PARTS:
        return None
    if metric in MINIMISED:
        return False
    return _catalogue()[metric].higher_is_better if metric in _catalogue() else None
