"""How several models make one prediction, and how far they disagree."""

from typing import Literal

import numpy as np

Vote = Literal["mean", "majority"]


def combined(predictions: np.ndarray, weights: np.ndarray, vote: Vote, task: str) -> np.ndarray:
    """The vote of several models. sum_m w_m v_m / sum_m w_m.

    Args:
        predictions: Probabilities or values of each model, (m, n, k).
        weights: Of the models, (m,), or of each model on each row, (m, n).
        vote: mean: v_m is the prediction of model m. majority: v_m is 1 for the class (or labels)
            that model m decides for, else 0.
        task: What is predicted.

    Returns:
        (n, k) float64. Of equal fractions of the votes, the first class wins.
    """
    votes = (
        predictions.astype(np.float64)
        if vote == "mean"
        else decisions(predictions, task).astype(np.float64)
    )
    by_row = weights.reshape(len(weights), -1, 1)
    return (by_row * votes).sum(axis=0) / by_row.sum(axis=0)


def decisions(predictions: np.ndarray, task: str) -> np.ndarray:
    """What each model decides, (..., n, k) bool.

    It is the most probable class of each row, the first of equals, or the labels from 1/2 upwards.
    """
    if task == "classification":
        return predictions.argmax(axis=-1)[..., np.newaxis] == np.arange(predictions.shape[-1])
    return predictions >= 0.5


def disagreement(predictions: np.ndarray, task: str) -> float | None:
    """How far models disagree; None for a single model.

    Returns:
        The mean fraction of rows (of rows and labels) on which two models decide differently, over
        all pairs. For values, the mean of their standard deviation over the models, in original
        units.
    """
    count = len(predictions)
    if count == 1:
        return None
    if task == "regression":
        return float(predictions.astype(np.float64).std(axis=0).mean())
    votes = decisions(predictions, task).sum(axis=0)  # (n, k): how many decide for it
    alike = votes * (votes - 1)
    if task == "classification":
        alike = alike.sum(axis=1)
    else:  # two may also agree that a label is not there
        alike += (count - votes) * (count - votes - 1)
    return float(1 - alike.mean() / (count * (count - 1)))
