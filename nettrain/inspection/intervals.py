"""95 % intervals of the metrics of a part: how far each would vary with other rows.

The model is taken as it is: an interval speaks of the rows that it was measured on, not of what
another seed would have trained.
"""

from collections.abc import Mapping

import numpy as np

from nettrain.inspection.statistics.bootstrap import RESAMPLES, percentile_interval, samples
from nettrain.inspection.statistics.wilson import wilson_interval
from nettrain.metrics import (
    CountMetric,
    Metric,
    Outcome,
    RowLosses,
    ShareMetric,
    ValueOutcome,
    mean_of_defined,
    metrics_of,
)
from nettrain.training.engine.blas import one_blas_thread

Interval = tuple[float, float]

WORK = 1e7  # multiplications per metric, so that all take about 0.2 s for 10,000 rows
FEWEST_RESAMPLES = 100
MOST_WORK_PER_SAMPLE = 1e6


def metric_intervals(
    metrics: Mapping[str, float],
    outcome: Outcome,
    losses: RowLosses | None,
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Returns the interval of each metric that has one; none leaves the metric's range.

    The share of right rows (accuracy, subset and top-5 accuracy) has Wilson's interval. The other
    metrics and the loss have the percentile interval of 1,000 bootstrap samples of the rows. Large
    parts get fewer samples (100 at least), and a metric that would take longer still has none. Nor
    has one that is alike in all samples: balanced accuracy where every row is right, the loss of a
    part of one row.

    Args:
        metrics: Of the part, by name; the loss may be among them.
        outcome: From which they were computed.
        losses: Of the rows, for the interval of the loss.
        confidence: The share of such intervals that hold the true value.
        seed: Of the bootstrap samples.
    """
    known = {name: metric for name, metric in metrics_of(outcome).items() if name in metrics}
    shares = {name: metric for name, metric in known.items() if isinstance(metric, ShareMetric)}
    others = {name: metric for name, metric in known.items() if name not in shares}
    intervals: dict[str, Interval | None] = {}
    for name, metric in shares.items():
        right = metric.right(outcome)
        intervals[name] = (
            None if right is None else wilson_interval(int(right.sum()), len(right), confidence)
        )
    for name, values in resampled_metrics(others, outcome, losses, seed=seed).items():
        intervals[name] = percentile_interval(values, confidence)
    return {name: found for name in metrics if (found := intervals.get(name)) is not None}


def resampled_metrics(
    metrics: Mapping[str, Metric],
    outcome: Outcome,
    losses: RowLosses | None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Returns the values (b,) of each metric, and of the loss, in b bootstrap samples of the rows.

    Outcomes of equally many rows and equal seed are measured on the same samples, in order.
    """
    rows = len(outcome.targets)
    if rows < 2:
        return {}
    counts = _sample_counts(metrics, outcome, resamples)
    if losses is not None:
        counts["loss"] = _sample_count(rows, resamples)
    values: dict[str, list[np.ndarray]] = {name: [] for name in counts}
    done = 0
    with one_blas_thread():
        for block in samples(rows, max(counts.values(), default=0), seed):
            wanted = {
                name: metrics[name] for name in counts if name != "loss" and done < counts[name]
            }
            for name, measured in _measured(wanted, outcome, block).items():
                values[name].append(measured)
            if losses is not None:
                values["loss"].append(losses.resampled(block))
            done += block.shape[1]
    return {name: np.concatenate(blocks)[: counts[name]] for name, blocks in values.items()}


def _sample_counts(
    metrics: Mapping[str, Metric], outcome: Outcome, resamples: int
) -> dict[str, int]:
    """How many samples each metric gets, without those that would take too long."""
    rows = len(outcome.targets)
    work = {name: rows * metric.sample_cost(outcome) for name, metric in metrics.items()}
    return {
        name: _sample_count(of_sample, resamples)
        for name, of_sample in work.items()
        if of_sample <= MOST_WORK_PER_SAMPLE
    }


def _sample_count(work: float, resamples: int) -> int:
    return min(resamples, max(FEWEST_RESAMPLES, int(WORK / work)))


def _measured(
    metrics: Mapping[str, Metric], outcome: Outcome, block: np.ndarray
) -> dict[str, np.ndarray]:
    """The metrics of one block of samples; those of counts share the counting."""
    counted = {name: one for name, one in metrics.items() if isinstance(one, CountMetric)}
    values = {
        name: metric.resampled(outcome, block)
        for name, metric in metrics.items()
        if name not in counted
    }
    if counted and not isinstance(outcome, ValueOutcome):
        counts = outcome.resampled_counts(block)
        values |= {
            name: mean_of_defined(metric.of_counts(counts)) for name, metric in counted.items()
        }
    return values
