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
    """The model in a checkpoint; a run directory stands for its best checkpoint (for its last where there is no best).

    allow_plugins  whether the Python files that its configuration names may be imported
    loader         what remembers the data that other runs of this process have loaded, for `training_data`
    """
    file = checkpoint_path(Path(path))
    checkpoint = Checkpoint.read(file)
    kind = Ensemble if "ensemble" in checkpoint.content else Model
    return kind(file, checkpoint, allow_plugins=allow_plugins, loader=loader)
