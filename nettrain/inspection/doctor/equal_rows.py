"""Which rows of several arrays have the same inputs."""

import numpy as np


def groups_of_equal_rows(*arrays: np.ndarray) -> list[np.ndarray]:
    """A number for every row of each array (n, ...); rows with equal inputs have the same number.

    They are counted from 0 in the order in which they appear.
    """
    numbers: dict[bytes, int] = {}
    return [
        np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in array], np.int64)
        for array in arrays
    ]
