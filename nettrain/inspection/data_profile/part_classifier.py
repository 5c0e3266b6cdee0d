"""A linear classifier of the rows of one part against those of training."""

import numpy as np

from nettrain import streams
from nettrain.data.features import MISSING, Category
from nettrain.metrics import ClassOutcome, Metric

_MOST = 2000  # rows of each part that the classifier sees
_MOST_INPUTS = 200
_MOST_CATEGORIES = 10
_FARTHEST = 5.0  # deviations: outliers must not decide


def classifier_auc(
    columns: dict[str, np.ndarray | Category], train: np.ndarray, part: np.ndarray
) -> tuple[float, float]:
    """The cross-validated AUC of a linear classifier of part against training rows.

    Least squares on the labels -1 and 1 with a small ridge, whose direction is that of Fisher's
    discriminant; each half of the rows is judged by the other half's.

    Args:
        columns: Of all rows by name, numbers with NaN where missing, or texts.
        train: Which rows (n,) are trained on.
        part: Which rows (n,) are in the other part.

    Returns:
        AUC, and its standard error where the parts are alike: sqrt((a + b + 1) / (12 a b)).
    """
    generator = streams.generator(0, "profile.parts")
    chosen = [generator.permutation(np.flatnonzero(which))[:_MOST] for which in (train, part)]
    rows = np.concatenate(chosen)
    labels = np.repeat([-1.0, 1.0], [len(one) for one in chosen])
    x = _inputs(columns, rows)
    half = np.concatenate([np.arange(len(one)) % 2 for one in chosen])
    area: Metric[ClassOutcome] = Metric.parse("roc_auc")
    aucs = []
    for fold in (0, 1):
        fitted, judged = half != fold, half == fold
        direction = _discriminant(x[fitted], labels[fitted])
        scores, is_part = x[judged] @ direction, (labels[judged] > 0).astype(np.int64)
        outcome = ClassOutcome(is_part, np.stack([-scores, scores], axis=1))
        aucs.append(area.value(outcome) or 0.0)
    a, b = (len(one) for one in chosen)
    return float(np.mean(aucs)), float(np.sqrt((a + b + 1) / (12 * a * b)))


def _discriminant(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """w = (z' W z + I)^-1 z' W labels,  z = x - mean, W such that both labels weigh the same."""
    z = x - x.mean(axis=0)
    weights = np.where(labels == 1, (labels == -1).mean(), (labels == 1).mean())
    weighted = z * weights[:, None]
    return np.linalg.solve(weighted.T @ z + np.eye(x.shape[1]), weighted.T @ labels)


def _inputs(columns: dict[str, np.ndarray | Category], rows: np.ndarray) -> np.ndarray:
    """(m, d): z and |z| of numbers, whether they are missing, and the frequent categories."""
    made: list[np.ndarray] = []
    for column in columns.values():
        if isinstance(column, Category):
            codes = column.codes[rows]
            frequent = np.argsort(-np.bincount(codes - MISSING), kind="stable")[:_MOST_CATEGORIES]
            made += [(codes - MISSING == code).astype(np.float64) for code in frequent]
            continue
        x = column[rows]
        gaps = np.isnan(x)
        present = x[~gaps]
        if not present.size or present.min() == present.max():
            made.append(gaps.astype(np.float64))
            continue
        z = np.clip(
            np.where(gaps, 0.0, (x - present.mean()) / present.std()), -_FARTHEST, _FARTHEST
        )
        made += [z, np.abs(z)]
        if gaps.any():
            made.append(gaps.astype(np.float64))
    step = -(-len(made) // _MOST_INPUTS) or 1
    return np.stack(made[::step], axis=1)
