"""One measure of all predictions: the squared error, of probabilities the Brier score."""

import numpy as np


def squared_errors(task: str, truth: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """The squared error of each row (n,), summed over classes, or averaged over columns.

    Of classes and labels it is the Brier score: bounded, so that a few overconfident rows do not
    decide. Columns of numbers count in units of their standard deviation.

    Args:
        task: classification, regression or multilabel.
        truth: Codes (n,), labels (n, l) or numbers (n, t).
        predictions: Probabilities (n, k), (n, l) or numbers (n, t).
    """
    if task == "classification":
        hits = truth[:, None] == np.arange(predictions.shape[1])
        errors: np.ndarray = ((predictions - hits) ** 2).sum(axis=1)
        return errors
    scale = truth.std(axis=0) if task == "regression" else np.ones(truth.shape[1])
    errors = (((predictions - truth) / np.where(scale > 0, scale, 1)) ** 2).mean(axis=1)
    return errors


def constant_predictions(task: str, truth: np.ndarray, size: int, rows: int) -> np.ndarray:
    """The frequencies of the classes or labels, or the means, for every row.

    Args:
        task: classification, regression or multilabel.
        truth: Of the training rows.
        size: The number of classes.
        rows: How many.
    """
    if task == "classification":
        mean = np.bincount(truth, minlength=size) / len(truth)
    else:
        mean = truth.mean(axis=0, dtype=np.float64)
    return np.tile(mean, (rows, 1))


def measure_name(task: str) -> str:
    """What 1 - error / error of the baseline is called."""
    return "R2" if task == "regression" else "Brier skill score"
