"""How much of the difference between trials each parameter explains by itself.

epsilon^2 = (SS_between - (g - 1) MS_within) / SS_total, at least 0 (Kelley 1935): the fraction of
the variance of the scores that lies between the g groups of trials with equal values, less what
would lie there by chance. Numbers of a range are put into groups of equal size by rank.

Each parameter is judged alone: what only two do together, and what comes of uneven draws, is not
told apart (Optuna's fANOVA does, with a random forest). A parameter with conditions is judged among
the trials that have it. Scores are ranked first: one trial that went badly would be all the
variance.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from nettrain.search.sweep.parameter import Parameter
from nettrain.search.sweep.trial import Trial, key

MOST_GROUPS = 6


def importances(
    trials: Sequence[Trial], parameters: Mapping[str, Parameter]
) -> dict[str, float | None]:
    """The importance of each parameter.

    Args:
        trials: Those that `comparable` gives.
        parameters: By path.

    Returns:
        By path, the most important first. None where the trials cannot tell: there are fewer than
        two groups, or only one trial in each.
    """
    found = {
        path: _share(
            [trial for trial in trials if path in trial.parameters], path, parameters[path]
        )
        for path in parameters
    }
    return dict(
        sorted(found.items(), key=lambda item: -1.0 if item[1] is None else item[1], reverse=True)
    )


def comparable(trials: Iterable[Trial]) -> list[Trial]:
    """The trials that importances are computed from: finished and pruned ones, repeats once.

    A pruned trial counts with the score that it had when it was stopped. Without the pruned ones
    only good settings would be left to compare, and what made the others bad would seem to be of no
    importance (the survivorship bias of the complete trials alone).
    """
    return [
        trial
        for trial in trials
        if trial.status in ("finished", "pruned")
        and trial.metric is not None
        and trial.same_as is None
    ]


def _share(trials: Sequence[Trial], path: str, parameter: Parameter) -> float | None:
    scores = ranks(np.array([trial.metric for trial in trials], dtype=np.float64))
    groups = _groups([trial.parameters[path] for trial in trials], parameter)
    sizes = np.bincount(groups) if len(groups) else np.zeros(0, dtype=np.int64)
    g, n = len(sizes), len(scores)
    total = float(((scores - scores.mean()) ** 2).sum()) if n else 0.0
    if g < 2 or n <= g or total == 0.0:
        return None
    means = np.bincount(groups, weights=scores) / sizes
    between = float((sizes * (means - scores.mean()) ** 2).sum())
    within = (total - between) / (n - g)
    return max(0.0, (between - (g - 1) * within) / total)


def _groups(values: Sequence[object], parameter: Parameter) -> np.ndarray:
    """(n,) the group of each trial: of its value, or of its rank among those of a range."""
    if (
        parameter.count is not None and parameter.count <= MOST_GROUPS
    ) or parameter.values is not None:
        different = {
            name: place
            for place, name in enumerate(dict.fromkeys(key({"": value}) for value in values))
        }
        return np.array([different[key({"": value})] for value in values], dtype=np.int64)
    n = len(values)
    wanted = min(MOST_GROUPS, max(1, math.isqrt(n)))
    place = (ranks(np.array(values, dtype=np.float64)) - 0.5) * wanted / max(n, 1)
    _, groups = np.unique(place.astype(np.int64), return_inverse=True)
    return groups


def ranks(values: np.ndarray) -> np.ndarray:
    """1 for the least; equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((last - counts + 1 + last) / 2)[place]
