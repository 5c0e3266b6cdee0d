"""Significance: whether the best trial is really better than the next, or was lucky.

The standard error of the difference d of two trials' scores is

- of trials of several runs (repeats, folds): s(d_i) / sqrt(n), of the paired differences d_i of
  their runs, which share seeds and folds;
- of trials of one run, for a fraction of correct rows (accuracy and its like): that of two binomial
  proportions p of n rows, sqrt(sum p (1 - p) / n). Both are of the same rows, so this is rather too
  large than too small;
- else unknown.

A lead within two standard errors says little. scikit-learn and Optuna report the best trial without
such a warning.
"""

import math
import statistics
from collections.abc import Sequence

from nettrain.search.sweep.trial import Trial

PROPORTIONS = (
    "accuracy",
    "balanced_accuracy",
    "label_accuracy",
    "subset_accuracy",
    "top5_accuracy",
)
ERRORS = 2.0


def standard_error(best: Trial, other: Trial, metric: str, rows: int) -> float | None:
    """Of the difference of two trials' scores; None where none is known. rows: of the part."""
    if len(best.scores) > 1 and len(best.scores) == len(other.scores):
        differences = [a - b for a, b in zip(best.scores, other.scores, strict=True)]
        return statistics.stdev(differences) / math.sqrt(len(differences))
    if metric.partition("_")[2] in PROPORTIONS and rows:
        return math.sqrt(
            sum(trial.scores[0] * (1 - trial.scores[0]) for trial in (best, other)) / rows
        )
    return None


def significance_note(ranking: Sequence[Trial], metric: str, rows: int) -> str | None:
    """A sentence where the winner's lead over others is within noise.

    Args:
        ranking: The trials, the best first.
        metric: What they are compared in.
        rows: Of the part that the metric is of.

    Returns:
        None where it leads clearly, or where no standard error is known.
    """
    best, *others = ranking
    near = []
    for other in others:
        error = standard_error(best, other, metric, rows)
        lead = abs((best.metric or 0.0) - (other.metric or 0.0))
        if error is not None and lead <= ERRORS * error:
            near.append((other, lead, error))
    if not near:
        return None
    named = ", ".join(str(other.index) for other, _, _ in near[:5])
    more = f" and {len(near) - 5} more" if len(near) > 5 else ""
    other, lead, error = near[0]
    how = "repeats" if len(best.scores) == 1 else "more repeats"
    return (
        f"trial {best.index} is not significantly better than trial{'s' * (len(near) > 1)} "
        f"{named}{more}: its lead over trial {other.index} ({lead:.3f} +- {error:.3f}) is within "
        f"noise; {how} or more validation rows would tell them apart"
    )
