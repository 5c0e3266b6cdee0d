"""The prepared rows of one part, as training and evaluation read them."""

from dataclasses import dataclass

import numpy as np

from nettrain.data.rows.base import LazyRows


@dataclass(frozen=True)
class Part:
    """Rows as the network, the loss and the metrics take them.

    Attributes:
        x: Inputs (n, ...) in the run's dtype: an array, or rows that are read and transformed when
            they are gathered.
        y: Codes (n,) int64, or scaled numbers or labels (n, t) in the run's dtype; None in rows
            that are only to be predicted.
        truth: For metrics: codes (n,), labels (n, l), or numbers (n, t) float64 in original units.
        weights: Of the rows (n,) in the loss; None: all equal.
    """

    x: np.ndarray | LazyRows
    y: np.ndarray | None = None
    truth: np.ndarray | None = None
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x)

    def gather(self, rows: np.ndarray, x_out: np.ndarray, y_out: np.ndarray | None = None) -> None:
        """Copy the chosen rows into buffers that have their length."""
        if isinstance(self.x, np.ndarray):
            # clip: else NumPy buffers `out` once more; np.take would look for other arrays first.
            self.x.take(rows, 0, x_out, "clip")
        else:
            self.x.take(rows, x_out)
        if y_out is not None:
            if self.y is None:
                raise ValueError("these rows have no targets")
            self.y.take(rows, 0, y_out, "clip")
