"""The distinct values of a column."""

import numpy as np


def distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the distinct values in ascending order, for each value (n,) its place among them), as np.unique gives them.

    np.unique imports numpy.ma, which takes as long as the whole of a small run's training.
    """
    flat = values.reshape(-1)
    order = np.argsort(flat, kind="stable")
    ascending = flat[order]
    first = np.ones(len(flat), dtype=bool)
    first[1:] = ascending[1:] != ascending[:-1]
    places = np.empty(len(flat), dtype=np.intp)
    places[order] = np.cumsum(first) - 1
    return ascending[first], places
