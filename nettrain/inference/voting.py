"""How several models make one prediction, and how far they disagree."""

from typing import Literal

import numpy as np

Vote = Literal["mean", "majority"]


def combined(said: np.ndarray, weights: np.ndarray, vote: Vote, task: str) -> np.ndarray:
    """sum_m w_m v_m / sum_m w_m.  said (m, n, k): probabilities or values of each model; weights (m,), or (m, n) -> (n, k) float64.

    mean      v_m is what model m said
    majority  v_m is 1 for the class (or labels) that model m decides for, else 0: the share of the votes; of equal shares the first wins
    """
    votes = said.astype(np.float64) if vote == "mean" else decisions(said, task).astype(np.float64)
    by_row = weights.reshape(len(weights), -1, 1)
    return (by_row * votes).sum(axis=0) / by_row.sum(axis=0)


def decisions(said: np.ndarray, task: str) -> np.ndarray:
    """(..., n, k) of truth values: the most probable class of each row (the first of equals), or the labels from one half upwards."""
    if task == "classification":
        return said.argmax(axis=-1)[..., np.newaxis] == np.arange(said.shape[-1])
    return said >= 0.5


def disagreement(said: np.ndarray, task: str) -> float | None:
    """The mean share of rows (of rows and labels) on which two models decide differently, over all pairs; of values the mean of their
    standard deviation (over models, n below) in original units. None for a single model.
    """
    count = len(said)
    if count == 1:
        return None
    if task == "regression":
        return float(said.astype(np.float64).std(axis=0).mean())
    votes = decisions(said, task).sum(axis=0)  # (n, k): how many decide for it
    alike = votes * (votes - 1)
    if task == "classification":
        alike = alike.sum(axis=1)
    else:  # two may also agree that a label is not there
        alike += (count - votes) * (count - votes - 1)
    return float(1 - alike.mean() / (count * (count - 1)))
