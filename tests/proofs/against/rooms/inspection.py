"""What is read from predictions and from data: by scikit-learn and SciPy, for random numbers, ties included."""

import warnings
from typing import Any

import numpy as np
from against.chance import Chance
from against.comparison import Comparison
from against.coverage import Coverage
from against.predictions import decisions, division, explanations, members, statistics

CASES = 100


def draw(chance: Chance) -> dict[str, Any]:
    """What is computed, and from how many numbers."""
    return {
        "what": chance.pick(sorted(COMPARED)),
        "rows": chance.randint(2, 60),
        "columns": chance.randint(1, 5),
        "digits": chance.pick([0, 1, 15]),
        "scale": chance.number(0.1, 10),
        "level": chance.between(0.05, 0.99),
        "seed": chance.randrange(10**6),
    }


class _Everything(Coverage):
    """Each of the functions below must be tried."""

    def __init__(self) -> None:
        super().__init__([], [], {})

    def add(self, *values: Any) -> None:
        self.counts.update(values)

    def missing(self) -> list[str]:
        return sorted(set(COMPARED) - set(self.counts))


def coverage() -> Coverage:
    """No components, but every function."""
    return _Everything()


def compare(case: dict[str, Any], comparison: Comparison) -> tuple[Any, ...]:
    """Compare one of them. Returns which."""
    random = np.random.Generator(np.random.PCG64(case["seed"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is not defined
        COMPARED[case["what"]](case, random, comparison)
    return (case["what"],)


COMPARED = {
    "boosting": members.boosting,
    "bootstrap": statistics.bootstrap,
    "chi squared": statistics.tables,
    "conformal intervals": decisions.conformal,
    "correlation": explanations.correlation,
    "distributions": statistics.distributions,
    "division in folds": division.dealt,
    "folds": statistics.folds,
    "importance": explanations.importance,
    "linear models": explanations.linear,
    "partial dependence": explanations.dependence,
    "shares": statistics.shares,
    "temperature": decisions.temperature,
    "thresholds": decisions.threshold,
    "voting": members.voting,
    "weights": division.weights,
}
