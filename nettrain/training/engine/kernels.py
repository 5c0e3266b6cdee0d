"""Which kernels a run takes: NumPy's, or compiled loops, which cost a second to load and pay where there is more than a second of work."""

from collections.abc import Sequence
from importlib.util import find_spec
from math import prod
from typing import Literal

from nettrain.errors import ConfigError
from nettrain.nn.bound_layer import BoundLayer

LOADING = 2.0  # seconds: twice what Numba's import and the loading of the loops take; compiling them, once a machine, takes 3
MANY = 10  # runs that share it, in a search, a cross-validation or an ensemble
PER_STEP = 50e-6  # seconds that compiled loops save in a step of any size: calls (64-64-32-10, batch 32: 0.088 to 0.028 ms)
PER_NUMBER = 0.4e-9  # and beside each parameter, and each number that a layer gives


def numba_is_there() -> bool:
    """Whether Numba is installed; it is not imported."""
    return find_spec("numba") is not None


def kernels_for(
    layers: Sequence[BoundLayer], batch_size: int, steps: int, *, shares_process: bool = False
) -> Literal["numpy", "numba"]:
    """`numba` where it is installed and would save more time in so many steps than it takes to load, else `numpy`.

    shares_process  whether the process makes further runs, which share the loading; how many does not count: a search may be extended
    """
    loading = LOADING / MANY if shares_process else LOADING
    numbers = sum(p.size + batch_size * prod(p.output_shape) for p in layers)
    saved = steps * (PER_STEP + numbers * PER_NUMBER)
    return "numba" if saved > loading and numba_is_there() else "numpy"


def runs_compiled(kernels: str) -> bool:
    """Whether compiled kernels are used; without Numba a model that was trained with it runs on NumPy's."""
    return kernels == "numba" and numba_is_there()


def check_kernels(kernels: str) -> None:
    """Raises ConfigError where Numba is wanted and not installed."""
    if kernels == "numba" and not numba_is_there():
        raise ConfigError(
            'training.kernels: numba is not installed; pip install "nettrain[fast]", '
            "or take --kernels numpy: the results are then rounded otherwise, so the bits differ from those of a run with numba"
        )
