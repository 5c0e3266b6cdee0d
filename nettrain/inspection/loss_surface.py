"""The training loss over a plane of weights: what an optimizer descends."""

from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.primitive import Array
from nettrain.config.plugins import described_failures
from nettrain.data.dataset import Dataset
from nettrain.inference.model import Model
from nettrain.inspection.flops import layer_flops
from nettrain.inspection.weight_path import weights_restored
from nettrain.inspection.weight_plane import Plane
from nettrain.training.build import encoded, target_size
from nettrain.training.engine.blas import one_blas_thread
from nettrain.training.engine.penalty import Penalty
from nettrain.training.evaluate import row_losses

MOST_ROWS, FEWEST_ROWS = 512, 16
MOST_FLOPS = 1e11  # of a whole surface: a few seconds


@dataclass(frozen=True)
class Surface:
    """The loss at the points of a grid.

    Attributes:
        x, y: The coordinates (w,) and (h,) in the plane.
        loss: (h, w); NaN where it is not finite.
        rows: On how many training rows it was computed.
    """

    x: np.ndarray
    y: np.ndarray
    loss: np.ndarray
    rows: int


class TrainingLoss:
    """What training minimises, on rows evenly chosen from the training part.

    The weighted mean of the rows' losses in evaluation mode (no dropout), plus the penalty.

    Args:
        model: Whose weights a call changes.
        train: The raw rows of the training part.
        points: For how many weights it will be computed; large networks get fewer rows.
    """

    def __init__(self, model: Model, train: Dataset, points: int) -> None:
        self.model = model
        cost = max(1, sum(one.forward for one in layer_flops(model.network).values()))
        rows = int(np.clip(MOST_FLOPS / (points * cost), FEWEST_ROWS, MOST_ROWS))
        chosen = np.unique(np.linspace(0, len(train) - 1, min(rows, len(train))).astype(int))
        part = model.part_of(train.take(chosen))
        if part.y is None:
            raise ValueError("a part without targets has no loss")
        self._x = np.asarray(part.x[:], model.network.dtype)
        size = target_size(model.schema)
        self._targets = encoded(model.loss, part.y, size, model.network.dtype)
        self._weights = part.weights
        self._penalty = Penalty(model.network.vector, model.config.regularization)
        self.rows = len(chosen)

    def __call__(self, weights: Array) -> float:
        """The loss at weights (p,); NaN where it is not finite."""
        network = self.model.network
        network.vector.values[...] = weights
        outputs = network.outputs(self._x)
        loss = row_losses(self.model.loss, outputs, self._targets, self._weights).mean()
        value = loss + self._penalty.value()
        return value if np.isfinite(value) else float("nan")


def loss_surface(
    model: Model, train: Dataset, plane: Plane, x: np.ndarray, y: np.ndarray
) -> Surface:
    """Computes the training loss at every point of a grid in a plane.

    Args:
        model: Its weights are what they were afterwards.
        train: The raw rows of the training part.
        plane: Of weights.
        x: Coordinates (w,) along its first direction.
        y: Coordinates (h,) along its second direction.
    """
    quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
    with described_failures(model.config.plugins), one_blas_thread(), quiet:
        loss = TrainingLoss(model, train, len(x) * len(y))
        with weights_restored(model):
            values = [[loss(plane.point(a, b)) for a in x] for b in y]
    return Surface(x, y, np.array(values), loss.rows)
