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
    return predictor_of(Checkpoint.read(file), file, allow_plugins=allow_plugins, loader=loader)


def predictor_of(
    checkpoint: Checkpoint,
    origin: Path,
    *,
    allow_plugins: bool = False,
    loader: Loader | None = None,
) -> Predictor:
    """The trained model in a checkpoint that has been read; `origin` names it in messages.

    The other arguments and errors are those of `load`.
    """
    kind = Model if checkpoint.metadata(origin).ensemble is None else Ensemble
    return kind(origin, checkpoint, allow_plugins=allow_plugins, loader=loader)
