"""The distinct values of a column."""

import numpy as np


def distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values in ascending order, and for each value (n,) its index among them.

    The same as np.unique, which imports numpy.ma: that takes as long as training a small network.
    """
    flat = values.reshape(-1)
    order = np.argsort(flat, kind="stable")
    ascending = flat[order]
    first = np.ones(len(flat), dtype=bool)
    first[1:] = ascending[1:] != ascending[:-1]
    indices = np.empty(len(flat), dtype=np.intp)
    indices[order] = np.cumsum(first) - 1
    return ascending[first], indices
