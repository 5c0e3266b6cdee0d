"""How well each column alone predicts the target, on rows that it was not fitted to."""

import numpy as np

from nettrain.data.features import MISSING, Category

FOLDS = 4
BINS = 64


def numbered(column: np.ndarray | Category) -> np.ndarray:
    """The cells (n,) as numbers of bins 0 ... b - 1: quantiles of numbers, categories of texts.

    Missing cells are a bin of their own. Few distinct numbers have a bin each.
    """
    if isinstance(column, Category):
        return np.asarray(column.codes - MISSING, np.intp)
    present = column[~np.isnan(column)]
    values = np.unique(present)
    if len(values) > BINS:
        values = np.unique(np.quantile(present, np.arange(1, BINS) / BINS, method="lower"))
    return np.where(np.isnan(column), 0, 1 + np.searchsorted(values, column, side="right"))


def class_score(bins: np.ndarray, codes: np.ndarray, fold: np.ndarray) -> float:
    """(accuracy - a) / (1 - a) on held-out folds, where a is that of the largest class.

    A tree with one level: each bin answers the class that is most frequent in it in the other
    folds. 1: without an error; 0: no better than the largest class.

    Args:
        bins: (n,) of the column, from `numbered`.
        codes: (n,) of the classes.
        fold: (n,) 0 ... FOLDS - 1.
    """
    k, b = int(codes.max()) + 1, int(bins.max()) + 1
    counts = np.bincount((fold * b + bins) * k + codes, minlength=FOLDS * b * k)
    counts = counts.reshape(FOLDS, b, k)
    others = counts.sum(axis=0) - counts
    default = others.sum(axis=1).argmax(axis=1)
    answers = np.where(others.any(axis=2), others.argmax(axis=2), default[:, None])
    correct = float(np.take_along_axis(counts, answers[:, :, None], axis=2).sum())
    largest = float(np.bincount(codes).max())
    return (correct - largest) / max(len(codes) - largest, 1.0)


def number_score(bins: np.ndarray, y: np.ndarray, fold: np.ndarray) -> float:
    """R^2 on held-out folds of the mean in each bin.

    Args:
        bins: (n,) of the column, from `numbered`.
        y: (n,) numbers.
        fold: (n,) 0 ... FOLDS - 1.
    """
    b = int(bins.max()) + 1
    cells = fold * b + bins
    counts = np.bincount(cells, minlength=FOLDS * b).reshape(FOLDS, b)
    sums = np.bincount(cells, y, minlength=FOLDS * b).reshape(FOLDS, b)
    others, other_sums = counts.sum(axis=0) - counts, sums.sum(axis=0) - sums
    default = other_sums.sum(axis=1) / np.maximum(others.sum(axis=1), 1)
    means = np.where(others > 0, other_sums / np.maximum(others, 1), default[:, None])
    return _explained(y, means[fold, bins])


def threshold_score(x: np.ndarray, codes: np.ndarray) -> float:
    """(accuracy - a) / (1 - a) of the best single threshold between two classes, as `class_score`.

    One number is fitted, so no rows are held out. 0 with other than two classes, of which each has
    at least FOLDS rows, and for a column with gaps.

    Args:
        x: (n,) the column.
        codes: (n,) of the classes.
    """
    counts = np.bincount(codes)
    if len(counts) != 2 or counts.min() < FOLDS or np.isnan(x).any():
        return 0.0
    order = np.argsort(x, kind="stable")
    below = np.cumsum(codes[order] == 0)  # rows of class 0 up to each place
    rows = np.arange(1, len(x) + 1)
    correct = below + (counts[1] - (rows - below))  # class 0 up to the place, class 1 beyond
    at_gap = np.append(np.diff(x[order]) > 0, True)
    best = max(float(correct[at_gap].max()), float((len(x) - correct[at_gap]).max()))
    largest = float(counts.max())
    return (best - largest) / (len(x) - largest)


def rank_score(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rho^2, of the rows in which x is not missing; 0 with many gaps."""
    both = ~np.isnan(x)
    return linear_score(np.where(both, _ranks(x), np.nan), _ranks(y))


def _ranks(x: np.ndarray) -> np.ndarray:
    """The rank of each number; equal ones share the mean of theirs."""
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((last - (counts - 1) / 2)[inverse]).astype(np.float64)


def linear_score(x: np.ndarray, y: np.ndarray) -> float:
    """r^2 of a straight line through the rows in which x is not missing; 0 with many gaps."""
    both = ~np.isnan(x)
    if both.mean() < 0.5:
        return 0.0
    a, b = x[both] - x[both].mean(), y[both] - y[both].mean()
    scale = float((a @ a) * (b @ b))
    return float(a @ b) ** 2 / scale if scale > 0 else 0.0


def _explained(y: np.ndarray, predicted: np.ndarray) -> float:
    spread = float(((y - y.mean()) ** 2).sum())
    return 1 - float(((y - predicted) ** 2).sum()) / spread if spread > 0 else 0.0
