"""The rows of one step, in buffers that stay."""
import numpy as np

from nettrain.data.part import Part


class Batch:
    """Inputs, encoded targets and weights of up to `size` rows; a short batch uses the first rows of the buffers.

    w           None where rows have no weights
    per_weight  1 / the sum of the rows' weights; 0 where they are all 0
    """

    def __init__(self, part: Part, size: int, dtype: np.dtype) -> None:
        if part.y is None:
            raise ValueError("a part without targets cannot be trained on")
        self.part = part
        self.x = np.empty((size, *part.x.shape[1:]), dtype)
        self.y = np.empty((size, *part.y.shape[1:]), part.y.dtype)
        self.w = None if part.weights is None else np.empty(size, dtype)
        self.per_weight = np.empty((), dtype)

    def __len__(self) -> int:
        return len(self.x)

    def gather(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Fill the buffers with these rows; gives their parts that are filled."""
        x, y = self.x[: len(rows)], self.y[: len(rows)]
        self.part.gather(rows, x, y)
        if self.w is not None and self.part.weights is not None:
            weight = self.weight(rows)
            self.w[: len(rows)] = self.part.weights[rows]
            self.per_weight[...] = 1 / weight if weight else 0
        return x, y

    def weight(self, rows: np.ndarray) -> float:
        """The sum of the rows' weights, which divides their loss; how many they are where rows have none."""
        return float(len(rows)) if self.part.weights is None else float(self.part.weights[rows].sum())
