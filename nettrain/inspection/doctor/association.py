"""How far predictions and targets go together beyond chance."""

import math

import numpy as np


def association(task: str, truth: np.ndarray, predictions: np.ndarray) -> float:
    """sum_i <p_i, y_i> of centered predictions and targets, in standard deviations of chance.

    Chance is that of all permutations of the targets over the rows: with centered matrices P and
    Y (n, k), the sum then has the mean 0 and the variance tr(P'P Y'Y) / (n - 1), exactly.
    It is not misled by rare classes or overconfident predictions, as the mean of a loss is.

    Args:
        task: classification, regression or multilabel.
        truth: Codes (n,), labels (n, l) or numbers (n, t).
        predictions: Probabilities (n, k), (n, l) or numbers (n, t).

    Returns:
        0 where either does not vary.
    """
    if task == "classification":
        truth = truth[:, None] == np.arange(predictions.shape[1])
    y, p = _centered(truth), _centered(predictions)
    if task == "regression":  # columns in units of their own
        y, p = _scaled(y), _scaled(p)
    variance = float(((p.T @ p) * (y.T @ y)).sum()) / max(len(y) - 1, 1)
    total = float((p * y).sum())
    if not math.isfinite(variance) or variance <= 1e-12 * float((p * p).sum() + (y * y).sum()):
        return 0.0
    return total / math.sqrt(variance)


def _centered(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float64)
    centered: np.ndarray = values - values.mean(axis=0)
    return centered


def _scaled(columns: np.ndarray) -> np.ndarray:
    scale = columns.std(axis=0)
    scaled: np.ndarray = columns / np.where(scale > 0, scale, 1)
    return scaled
