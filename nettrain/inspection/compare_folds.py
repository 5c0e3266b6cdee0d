"""Cross-validations side by side: the corrected resampled t-test over the folds that they share."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from nettrain.errors import RunError
from nettrain.inspection.comparison import ComparedRun, Comparison, Difference, adjusted
from nettrain.inspection.config_difference import config_differences
from nettrain.inspection.recorded_run import RecordedRun
from nettrain.inspection.statistics.corrected_t import corrected_t_test, estimate
from nettrain.metrics import bounds

DIVISION = ("folds", "repeats", "stratify", "group")


def compare_folds(records: Sequence[RecordedRun]) -> Comparison:
    """Returns the comparison of cross-validations; pairs with other folds or data are not tested.

    Raises:
        RunError: One is not finished.
    """
    for record in records:
        if not all(record.summary.get(key) for key in ("folds", "mean", "interval")):
            raise RunError(
                f"{record.path}: is {record.state}; finish it: nettrain cv --resume {record.path}"
            )
    notes: list[str] = []
    differences = [
        difference
        for first, second in combinations(records, 2)
        for difference in _tested(first, second, notes)
    ]
    runs = [
        ComparedRun(
            str(record.path),
            record.state,
            None,
            dict(record.summary["mean"]),
            {name: tuple(ends) for name, ends in record.summary["interval"].items() if ends},
        )
        for record in records
    ]
    return Comparison("folds", runs, config_differences(records), adjusted(differences), notes)


def _tested(first: RecordedRun, second: RecordedRun, notes: list[str]) -> list[Difference]:
    reason = _incomparable(first, second)
    if reason is not None:
        notes.append(f"{first.path} and {second.path} are not tested: {reason}")
        return []
    a, b = ([one["metrics"] for one in record.summary["folds"]] for record in (first, second))
    share = 1 / (int(first.division.get("folds", len(a))) - 1)
    found = []
    for name in (name for name in first.summary["mean"] if name in second.summary["mean"]):
        if name == "loss" and first.value("loss") != second.value("loss"):
            continue
        values = [(x.get(name), y.get(name)) for x, y in zip(a, b, strict=True)]
        apart = [y - x for x, y in values if x is not None and y is not None]
        if len(apart) < len(values):
            continue  # not defined in every fold
        lowest, highest = bounds(name)
        width = highest - lowest  # no difference is larger
        result = estimate(apart, share, bounds=(-width, width))
        found.append(
            Difference(
                name,
                str(first.path),
                str(second.path),
                result.mean,
                result.interval,
                corrected_t_test(apart, share),
                None,
                "corrected resampled t",
            )
        )
    return found


def _incomparable(first: RecordedRun, second: RecordedRun) -> str | None:
    a, b = first.division, second.division
    if a.get("data_fingerprint") != b.get("data_fingerprint"):
        return "their data differs (other fingerprints)"
    for key in DIVISION:
        if a.get(key) != b.get(key):
            return f"they were divided otherwise (--{key} {a.get(key)} and {b.get(key)})"
    rows = _scored(first), _scored(second)
    same = len(rows[0]) == len(rows[1]) > 1
    if not same or not all(np.array_equal(x, y) for x, y in zip(*rows, strict=True)):
        return "their folds hold other rows; give both the same dataset.seed"
    return None


def _scored(record: RecordedRun) -> list[Any]:
    """The rows that each fold scores."""
    folds = [record.path / fold_name(one, record.division) for one in record.summary["folds"]]
    return [RecordedRun(path, "run").rows.get("test") for path in folds]


def fold_name(fold: dict[str, Any], division: dict[str, Any]) -> str:
    """Returns the directory of a fold inside that of its cross-validation."""
    if division.get("repeats", 1) == 1:
        return f"fold-{fold['fold']}"
    return f"repeat-{fold['repeat']}-fold-{fold['fold']}"
