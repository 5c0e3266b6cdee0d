"""The prepared rows of one part, as training and evaluation read them."""
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Part:
    """x (n, ...) in the run's dtype, y as the loss takes it, `truth` as metrics do.

    y        codes (n,) int64; scaled numbers or labels (n, t) in the run's dtype; None in rows that are only to be predicted
    truth    codes (n,), labels (n, l), or numbers (n, t) float64 in original units
    weights  (n,) of the rows in the loss; None: all equal
    """

    x: np.ndarray
    y: np.ndarray | None = None
    truth: np.ndarray | None = None
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x)

    def gather(self, rows: np.ndarray, x_out: np.ndarray, y_out: np.ndarray | None = None) -> None:
        """Copy the chosen rows into buffers that have their length."""
        np.take(self.x, rows, axis=0, out=x_out, mode="clip")     # clip: without it NumPy buffers `out` once more
        if y_out is not None:
            if self.y is None:
                raise ValueError("these rows have no targets")
            np.take(self.y, rows, axis=0, out=y_out, mode="clip")
