"""Compiled updates: rules that run over a block of parameters in one loop, to the bits of their NumPy form, in files of the same names.

Each file has `loop(w, g, *slots, *numbers)`, the slots in the rule's own order, and `numbers(rule, slots, lr, t)`: what the rule works
out once a step. Whoever imports one imports Numba.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np

from nettrain.optim import Rule

FILES = {file.stem for file in Path(__file__).parent.glob("*.py")} - {"__init__"}


def compiled(
    rule: Rule, w: np.ndarray, g: np.ndarray, slots: dict[str, np.ndarray]
) -> Callable[[float, int], None] | None:
    """The update of this block, to be called with lr and t as `Rule.update` is; None where the rule has no compiled form."""
    package, _, file = type(rule).__module__.rpartition(".")
    if package != "nettrain.optim" or file not in FILES:
        return None
    entry = import_module("nettrain.jit").entry
    module = import_module(f"{__name__}.{file}")
    vectors, numbers = (w, g, *(slots[name] for name in rule.slots)), module.numbers
    loop = entry(module.loop, *vectors, *numbers(rule, slots, 0.1, 1))

    def update(lr: float, t: int) -> None:
        loop(*vectors, *numbers(rule, slots, lr, t))

    return update
