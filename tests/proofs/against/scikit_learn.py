"""nettrain's metrics by scikit-learn: the value, and that of each class, label or target."""

import math
import warnings
from typing import Any

import numpy as np
from sklearn import metrics

from nettrain.metrics import ClassOutcome, LabelOutcome, ValueOutcome

NAMES = ("precision", "recall", "f1")
Found = tuple[float, np.ndarray | None]  # NaN: not defined


def expected(outcome: Any) -> dict[str, Found]:
    """Every metric of an outcome."""
    functions = {ClassOutcome: of_classes, LabelOutcome: of_labels, ValueOutcome: of_values}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is not defined
        return functions[type(outcome)](outcome)


def of_classes(outcome: ClassOutcome) -> dict[str, Found]:
    y, p = outcome.targets, outcome.probabilities
    k = p.shape[1]
    codes, predicted = np.arange(k), decided(outcome)
    occurring = np.isin(codes, [*y, *predicted])
    of_each = metrics.precision_recall_fscore_support(y, predicted, labels=codes, zero_division=0)
    found: dict[str, Found] = {
        "accuracy": (metrics.accuracy_score(y, predicted), None),
        "balanced_accuracy": (
            metrics.balanced_accuracy_score(y, predicted),
            np.where(np.isin(codes, y), of_each[1], np.nan),
        ),
        "log_loss": (metrics.log_loss(y, p, labels=codes), None),
        "top5_accuracy": (
            metrics.top_k_accuracy_score(y, p, k=5, labels=codes) if k > 5 else math.nan,
            None,
        ),
        "roc_auc": _areas([(y == code, p[:, code]) for code in codes], two=k == 2),
    }
    means = metrics.precision_recall_fscore_support(y, predicted, average="macro", zero_division=0)
    for name, each, mean in zip(NAMES, of_each, means, strict=False):
        found[name] = (mean, np.where(occurring, each, np.nan))
    return found


def decided(outcome: ClassOutcome) -> np.ndarray:
    """The classes of the rows: the most probable, or by a threshold."""
    decision, p = outcome.decision, outcome.probabilities
    if decision.threshold is None:
        return np.array([max(range(p.shape[1]), key=lambda j, row=row: row[j]) for row in p])
    sure = p[:, decision.positive] >= decision.threshold
    return np.array([decision.positive if one else 1 - decision.positive for one in sure])


def of_labels(outcome: LabelOutcome) -> dict[str, Found]:
    y, p = (outcome.targets > 0.5).astype(int), outcome.probabilities
    predicted, columns = (p >= 0.5).astype(int), range(p.shape[1])
    found: dict[str, Found] = {
        "label_accuracy": (
            1 - np.mean([metrics.hamming_loss(y[:, [j]], predicted[:, [j]]) for j in columns]),
            np.array([metrics.accuracy_score(y[:, j], predicted[:, j]) for j in columns]),
        ),
        "subset_accuracy": (float(np.mean([(a == b).all() for a, b in zip(y, predicted, strict=True)])), None),
        "roc_auc": _areas([(y[:, j], p[:, j]) for j in columns], two=False),
    }  # fmt: skip
    if p.shape[1] > 1:  # of one column scikit-learn makes two classes
        found["subset_accuracy"] = (metrics.accuracy_score(y, predicted), None)
    one_by_one = [
        metrics.precision_recall_fscore_support(
            y[:, j], predicted[:, j], average="binary", zero_division=0
        )[:3]
        for j in columns
    ]
    for name, each in zip(NAMES, np.array(one_by_one).T, strict=True):
        found[name] = (float(each.mean()), each)
    return found


def of_values(outcome: ValueOutcome) -> dict[str, Found]:
    y, z = outcome.targets, outcome.predicted
    found = {
        "mse": _mean(metrics.mean_squared_error(y, z, multioutput="raw_values")),
        "mae": _mean(metrics.mean_absolute_error(y, z, multioutput="raw_values")),
        "rmse": _mean(metrics.root_mean_squared_error(y, z, multioutput="raw_values")),
        "r2": _mean(np.array([_r2(y[:, j], z[:, j]) for j in range(y.shape[1])])),
        "pinball_loss": (math.nan, None),
        "coverage": (math.nan, None),
        "interval_width": (math.nan, None),
    }
    if outcome.quantiles is not None:
        q = outcome.quantiles
        of_levels = [
            metrics.mean_pinball_loss(y, q[:, i], alpha=level, multioutput="raw_values")
            for i, level in enumerate(outcome.levels)
        ]
        found["pinball_loss"] = _mean(np.mean(of_levels, axis=0))
        if len(outcome.levels) > 1:
            low, high = q.min(axis=1), q.max(axis=1)
            found["coverage"] = _mean(1 - ((y < low) | (y > high)).mean(axis=0))
            found["interval_width"] = _mean((high - low).mean(axis=0))
    return found


def _r2(y: np.ndarray, z: np.ndarray) -> float:
    """scikit-learn's, but for constants, whose mean it rounds: there its documented values."""
    if len(y) > 1 and (y == y[0]).all():
        return float((y == z).all())
    return metrics.r2_score(y, z)


def _mean(each: Any) -> Found:
    each = np.atleast_1d(each)
    return float(np.mean(each)), each


def _areas(columns: list[tuple[Any, Any]], *, two: bool) -> Found:
    each = np.array([
        metrics.roc_auc_score(y, p) if 0 < np.sum(y) < len(y) else math.nan for y, p in columns
    ])  # fmt: skip
    return float(each[1] if two else each.mean()), each
