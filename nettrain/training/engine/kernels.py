"""Which kernels a run uses: NumPy's, or compiled loops, which take time to load."""

from collections.abc import Sequence
from importlib.util import find_spec
from math import prod
from typing import Literal

from nettrain.errors import ConfigError
from nettrain.nn.bound_layer import BoundLayer

# Seconds that compiled loops must save: several times what importing Numba (0.16), its
# first loop (0.02) and each further one (0.003) take. Compiling them takes 3, once per machine.
LOADING = 1.0
MANY = 10  # runs that share the loading, in a search, a cross-validation or an ensemble
# Seconds that compiled loops save in a step of any size (64-64-32-10, batch 32: 0.088 to 0.028 ms),
# and per parameter and output of a layer.
PER_STEP = 50e-6
PER_NUMBER = 0.4e-9


def numba_is_there() -> bool:
    """Whether Numba is installed; it is not imported."""
    return find_spec("numba") is not None


def kernels_for(
    layers: Sequence[BoundLayer], batch_size: int, steps: int, *, shares_process: bool = False
) -> Literal["numpy", "numba"]:
    """`numba` if it is installed and saves more time than it takes to load, else `numpy`.

    Args:
        layers: Of the network.
        batch_size: Rows per step.
        steps: Of the whole run.
        shares_process: Whether further runs of the process share the loading. Their number does not
            count, as a search may be extended.
    """
    loading = LOADING / MANY if shares_process else LOADING
    numbers = sum(p.size + batch_size * prod(p.output_shape) for p in layers)
    saved = steps * (PER_STEP + numbers * PER_NUMBER)
    return "numba" if saved > loading and numba_is_there() else "numpy"


def runs_compiled(kernels: str) -> bool:
    """Whether compiled kernels are used.

    Without Numba, a model that was trained with it runs on NumPy's.
    """
    return kernels == "numba" and numba_is_there()


def check_kernels(kernels: str) -> None:
    """Raises ConfigError where `numba` is asked for and not installed."""
    if kernels == "numba" and not numba_is_there():
        raise ConfigError(
            'training.kernels: numba is not installed; pip install "nettrain[fast]", '
            "or take --kernels numpy: results are then rounded differently, "
            "so the bits differ from those of a run with numba"
        )
