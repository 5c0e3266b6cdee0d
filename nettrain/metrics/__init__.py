"""Metrics, one a file: figures of an outcome, which is the targets of n rows beside what a model said of them.

The files with an underscore are no components: the bases, the outcomes, the trivial baseline, and all metrics at once.
"""

from nettrain.metrics._baseline import baseline
from nettrain.metrics._metric import MeanMetric, Metric
from nettrain.metrics._outcome import ClassOutcome, LabelOutcome, Outcome, ValueOutcome, outcome_of
from nettrain.metrics._summary import (
    all_metrics,
    direction,
    metric_names,
    per_class_table,
    per_target_table,
)

__all__ = [
    "ClassOutcome",
    "LabelOutcome",
    "MeanMetric",
    "Metric",
    "Outcome",
    "ValueOutcome",
    "all_metrics",
    "baseline",
    "direction",
    "metric_names",
    "outcome_of",
    "per_class_table",
    "per_target_table",
]
