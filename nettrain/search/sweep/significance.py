"""Whether the best trial is really better than the next, or was lucky.

The standard error of the difference d of two trials' scores:

- several runs a trial (repeats, folds): of the paired differences d_i of their runs, which share seeds and folds: s(d_i) / sqrt(n);
- one run, a metric that is a share of right rows (accuracy and its like): of two binomial shares p of n rows, sqrt(sum p (1 - p) / n). Both
  are of the same rows, so this is rather too large than too small;
- one run, any other metric: unknown.

A difference within two standard errors says little. scikit-learn and Optuna report the best trial without such a warning.
"""

import math
import statistics
from collections.abc import Sequence

from nettrain.search.sweep.trial import Trial

SHARES = ("accuracy", "balanced_accuracy", "label_accuracy", "subset_accuracy", "top5_accuracy")
ERRORS = 2.0


def standard_error(best: Trial, other: Trial, metric: str, rows: int) -> float | None:
    """Of the difference of two trials' scores; None where nothing is known. rows: of the part that the metric is of."""
    if len(best.scores) > 1 and len(best.scores) == len(other.scores):
        differences = [a - b for a, b in zip(best.scores, other.scores, strict=True)]
        return statistics.stdev(differences) / math.sqrt(len(differences))
    if metric.partition("_")[2] in SHARES and rows:
        return math.sqrt(
            sum(trial.scores[0] * (1 - trial.scores[0]) for trial in (best, other)) / rows
        )
    return None


def noise_note(ranking: Sequence[Trial], metric: str, rows: int) -> str | None:
    """A sentence where the winner is within noise of others; None where it is not, or where nothing is known. ranking: the best first."""
    best, *others = ranking
    near = []
    for other in others:
        error = standard_error(best, other, metric, rows)
        if (
            error is not None
            and abs((best.metric or 0.0) - (other.metric or 0.0)) <= ERRORS * error
        ):
            near.append((other, error))
    if not near:
        return None
    named = ", ".join(str(other.index) for other, _ in near[:5]) + (
        f" and {len(near) - 5} more" if len(near) > 5 else ""
    )
    gap = abs((best.metric or 0.0) - (near[0][0].metric or 0.0))
    how = "repeats" if len(best.scores) == 1 else "more repeats"
    return (
        f"trial {best.index} is within noise of trial{'s' * (len(near) > 1)} {named}: it is better than trial {near[0][0].index} by "
        f"{gap:.2g}, and the standard error of that is {near[0][1]:.2g}; {how} or more validation rows would tell them apart"
    )
