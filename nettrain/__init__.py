"""nettrain: multi-layer perceptrons from a YAML file, on an automatic differentiation core that one can read.

result = nettrain.train("digits.yaml")              # or a mapping, with data=(x, y) for arrays in memory
model = nettrain.load("runs/digits")                # a run directory or a checkpoint
model.predict(x), model.evaluate(x, y)
nettrain.sweep("sweeps/digits_random.yaml").best    # many settings of a run, compared; then the best one tested once
"""

import importlib
from typing import TYPE_CHECKING, Any

from nettrain.version import __version__ as __version__

if TYPE_CHECKING:
    from nettrain.autodiff.tensor import Tensor as Tensor
    from nettrain.errors import NettrainError as NettrainError
    from nettrain.inference.load import load as load
    from nettrain.nn.network import Network as Network
    from nettrain.search.sweep.sweep import resume_sweep as resume_sweep
    from nettrain.search.sweep.sweep import sweep as sweep
    from nettrain.training.train import resume as resume
    from nettrain.training.train import train as train

# Imported when first used: `nettrain --help` must not wait for NumPy.
_HOMES = {
    "Network": "nettrain.nn.network",
    "NettrainError": "nettrain.errors",
    "Tensor": "nettrain.autodiff.tensor",
    "load": "nettrain.inference.load",
    "resume": "nettrain.training.train",
    "resume_sweep": "nettrain.search.sweep.sweep",
    "sweep": "nettrain.search.sweep.sweep",
    "train": "nettrain.training.train",
}
__all__ = ["NettrainError", "Network", "Tensor", "load", "resume", "resume_sweep", "sweep", "train"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'nettrain' has no attribute {name!r}")
