"""The path of the weights through training, read from the snapshots of a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nettrain.files import check_memory
from nettrain.inference.model import Model
from nettrain.training.artifacts.snapshots import read_snapshot
from nettrain.training.artifacts.weights import Weights


@dataclass(frozen=True)
class WeightPath:
    """Where the weights were after some epochs.

    Attributes:
        epochs: (s,), ascending.
        points: (s, p), the weights as trained, in the layout of the network's vector.
    """

    epochs: np.ndarray
    points: np.ndarray


def weight_path(model: Model, snapshots: dict[int, Path]) -> WeightPath:
    """Returns the path of a run.

    Args:
        model: Of the run.
        snapshots: The files by epoch.

    Raises:
        CheckpointError: A file is damaged, or of another model.
        DataError: All of them do not fit into memory.
    """
    vector = model.network.vector.values
    check_memory(str(model.path), len(snapshots) * vector.nbytes)
    points = np.empty((len(snapshots), len(vector)), vector.dtype)
    for place, path in enumerate(snapshots.values()):
        points[place] = weights_at(model, path).trained
    return WeightPath(np.array(list(snapshots), dtype=np.int64), points)


def weights_at(model: Model, path: Path) -> Weights:
    """Returns the weights of a snapshot. Raises CheckpointError where they do not fit the model."""
    return Weights.read(read_snapshot(path), model.network, path)


@contextmanager
def weights_restored(model: Model) -> Iterator[None]:
    """Inside, the weights of a model may change; afterwards they are what they were."""
    network = model.network
    kept = Weights(network.vector.values, state=network.state).copy()
    try:
        yield
    finally:
        kept.put_into(network)
