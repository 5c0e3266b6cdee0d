"""What a comparison of runs finds: typed, for people and programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nettrain.inspection.statistics.holm import holm

Interval = tuple[float, float]


@dataclass(frozen=True)
class ComparedRun:
    """One side of a comparison.

    Attributes:
        path: The run directory.
        state: finished, interrupted, diverged or running.
        rows: How many rows it was measured on; None where only its summary is left.
        metrics: By name.
        intervals: 95 %, of the metrics that have one.
    """

    path: str
    state: str
    rows: int | None
    metrics: dict[str, float]
    intervals: dict[str, Interval]


@dataclass(frozen=True)
class Difference:
    """How far two runs are apart in one metric, and whether that is real.

    Attributes:
        metric: Its name.
        first: Path of the first run.
        second: Path of the second run.
        difference: Second minus first.
        interval: 95 % interval of the difference; None where the samples do not show one.
        p_value: Probability of a difference so large, if the runs were equally good.
        adjusted: The p value after Holm's correction for all pairs of runs in this metric.
        test: The name of the test.
    """

    metric: str
    first: str
    second: str
    difference: float
    interval: Interval | None
    p_value: float | None
    adjusted: float | None
    test: str


@dataclass(frozen=True)
class Comparison:
    """Everything that `compare` finds.

    Attributes:
        part: Of the data; `folds` for cross-validations.
        runs: In the given order.
        config: Values per run of each key that is not the same in all.
        differences: Of each metric and pair of runs that could be tested.
        notes: What could not be shown or tested, and why.
    """

    part: str
    runs: list[ComparedRun]
    config: dict[str, list[Any]]
    differences: list[Difference]
    notes: list[str] = field(default_factory=list)


def adjusted(differences: Sequence[Difference]) -> list[Difference]:
    """Returns the differences with Holm's correction over the pairs of each metric."""
    corrected = list(differences)
    for metric in dict.fromkeys(one.metric for one in differences):
        places = [
            place
            for place, one in enumerate(differences)
            if one.metric == metric and one.p_value is not None
        ]
        p_values = holm([differences[place].p_value or 0.0 for place in places])
        for place, p_value in zip(places, p_values, strict=True):
            corrected[place] = replace(differences[place], adjusted=p_value)
    return corrected
