"""The snapshots of a run: weights alone, one safetensors file every few epochs."""

import os
import re
from pathlib import Path

import numpy as np

from nettrain.errors import CheckpointError
from nettrain.nn.vector import ParameterVector
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.files import disk_errors
from nettrain.training.artifacts.weights import Weights

DIGITS = 6  # of an epoch in a file's name: names sort as epochs do


class Snapshots:
    """The folder of a run's snapshots: `epoch-000000.safetensors` and so on.

    One file per epoch is written atomically and never changed, so an interrupted run loses none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, epoch: int, weights: Weights, vector: ParameterVector) -> None:
        """Write the weights after an epoch; 0: those that training starts from."""
        with disk_errors(self.folder):
            self.folder.mkdir(exist_ok=True)
        content = {"snapshot": True, "epoch": epoch}
        Checkpoint(weights.tensors(vector), content).write(self._path(epoch))

    def cut(self, epoch: int) -> None:
        """Keep the snapshots up to an epoch: what came after is trained again."""
        with disk_errors(self.folder):
            for found, path in self.paths().items():
                if found > epoch:
                    os.unlink(path)

    def paths(self) -> dict[int, Path]:
        """The files by epoch, in the order of the epochs."""
        try:
            names = os.listdir(self.folder)
        except OSError:  # a run without snapshots
            return {}
        matches = [re.fullmatch(r"epoch-(\d+)\.safetensors", name, re.ASCII) for name in names]
        return dict(sorted((int(one[1]), self.folder / one[0]) for one in matches if one))

    def _path(self, epoch: int) -> Path:
        return self.folder / f"epoch-{epoch:0{DIGITS}}.safetensors"


def read_snapshot(path: Path) -> Checkpoint:
    """A snapshot. Raises CheckpointError for a file that is damaged or holds something else."""
    try:
        checkpoint = Checkpoint.read(path)
        if checkpoint.content.get("snapshot") is not True:
            raise CheckpointError(f"{path}: is no snapshot")
    except CheckpointError as error:
        reason = str(error).partition("; take another checkpoint")[0]
        raise CheckpointError(f"{reason}; remove this file to go without its epoch") from None
    return checkpoint


def snapshot_bytes(weights: Weights) -> int:
    """The size of a snapshot on disk without its header of a few hundred bytes."""
    arrays: list[np.ndarray] = [weights.trained, *weights.state.values()]
    if weights.average is not None:
        arrays.append(weights.average)
    return sum(array.nbytes for array in arrays)


def snapshot_count(epochs: int, every: int) -> int:
    """How many snapshots a whole run has: epoch 0, and every few epochs."""
    return epochs // every + 1
