"""`nettrain.load`: the trained model in a checkpoint, whether one network or an ensemble."""

import os
from pathlib import Path

from nettrain.data.loader import Loader
from nettrain.inference.ensemble import Ensemble
from nettrain.inference.model import Model
from nettrain.inference.predictor import Predictor
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.run_directory import checkpoint_path


def load(
    path: str | os.PathLike[str], *, allow_plugins: bool = False, loader: Loader | None = None
) -> Predictor:
    """The trained model in a checkpoint.

    Args:
        path: A checkpoint, or a run directory: then the one with the weights of the run.
        allow_plugins: Whether the Python files that its configuration names may be imported.
        loader: Remembers the data that other runs of this process have loaded, for
            `training_data`.

    Raises:
        CheckpointError: There is no checkpoint, or it is damaged.

    Example:
        model = nettrain.load("runs/digits")
        model.predict(x)
    """
    file = checkpoint_path(Path(path))
    checkpoint = Checkpoint.read(file)
    kind = Model if checkpoint.metadata(file).ensemble is None else Ensemble
    return kind(file, checkpoint, allow_plugins=allow_plugins, loader=loader)
