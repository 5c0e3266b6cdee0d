"""Metrics, one per file: numbers that say how good predictions are.

The files that begin with an underscore are no components: the bases, the outcomes that metrics
measure, the baseline, and all metrics at once.
"""

from nettrain.metrics._baseline import baseline
from nettrain.metrics._decision import Decision
from nettrain.metrics._metric import (
    CountMetric,
    MeanMetric,
    Metric,
    RowMetric,
    ShareMetric,
    mean_of_defined,
)
from nettrain.metrics._outcome import (
    ClassOutcome,
    LabelOutcome,
    Outcome,
    ValueOutcome,
    not_finite,
    outcome_of,
)
from nettrain.metrics._row_losses import RowLosses
from nettrain.metrics._summary import (
    all_metrics,
    bounds,
    direction,
    metric_names,
    metrics_of,
    per_class_table,
    per_target_table,
    task_metrics,
    undefined_reason,
)

__all__ = [
    "ClassOutcome",
    "CountMetric",
    "Decision",
    "LabelOutcome",
    "MeanMetric",
    "Metric",
    "Outcome",
    "RowLosses",
    "RowMetric",
    "ShareMetric",
    "ValueOutcome",
    "all_metrics",
    "baseline",
    "bounds",
    "direction",
    "mean_of_defined",
    "metric_names",
    "metrics_of",
    "not_finite",
    "outcome_of",
    "per_class_table",
    "per_target_table",
    "task_metrics",
    "undefined_reason",
]
