"""Knots at the splits of a decision tree that predicts the target from one feature."""

from heapq import heappop, heappush

import numpy as np

_LEAST_GAIN = 1e-7  # of the squared error of all rows: less is rounding


def tree_knots(x: np.ndarray, y: np.ndarray, bins: int, min_rows: int) -> np.ndarray:
    """Knots (at most bins + 1,): the least x, the splits of a tree, the largest x.

    The tree grows leaf by leaf, at the split that takes most off the squared error of y,
    |S|^2/n = |S_left|^2/n_left + |S_right|^2/n_right - gain with S the sum of y over rows, until it
    has `bins` leaves or no split helps. For classes as 0/1 columns that is the decrease of Gini's
    impurity. Breiman et al. 1984; scikit-learn's trees with max_leaf_nodes.

    Args:
        x: Numbers (n,) without gaps, n >= 1.
        y: Targets (n, t): numbers, or a column of 0 and 1 for each class.
        bins: Maximum number of leaves.
        min_rows: Minimum number of rows of a leaf.
    """
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order] - y.mean(axis=0)
    sums = np.concatenate([np.zeros((1, y.shape[1])), np.cumsum(y, axis=0)])
    least = _LEAST_GAIN * float((y**2).sum())
    splits: list[int] = []
    candidates: list[tuple[float, int, int, int]] = []

    def consider(start: int, end: int) -> None:
        gain, split = _best_split(x, sums, start, end, min_rows)
        if gain > least:
            heappush(candidates, (-gain, split, start, end))

    consider(0, len(x))
    while candidates and len(splits) < bins - 1:
        _, split, start, end = heappop(candidates)
        splits.append(split)
        consider(start, split)
        consider(split, end)
    middles = [x[split - 1] + (x[split] - x[split - 1]) / 2 for split in splits]
    return np.unique([x[0], *middles, x[-1]])


def _best_split(
    x: np.ndarray, sums: np.ndarray, start: int, end: int, min_rows: int
) -> tuple[float, int]:
    """The gain and the place i of the best cut of the rows start .. end into .. i and i .. ."""
    places = np.arange(start + min_rows, end - min_rows + 1)
    places = places[x[places - 1] < x[places]]
    if not len(places):
        return 0.0, start
    left, right = sums[places] - sums[start], sums[end] - sums[places]
    whole = ((sums[end] - sums[start]) ** 2).sum() / (end - start)
    gains = (left**2).sum(axis=1) / (places - start) + (right**2).sum(axis=1) / (end - places)
    best = int(gains.argmax())
    return float(gains[best] - whole), int(places[best])
