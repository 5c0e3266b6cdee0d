"""Random numbers and probabilities, ties included."""

from typing import Any

import numpy as np
from scipy import special


def numbers(case: dict[str, Any], random: np.random.Generator, *more: int) -> np.ndarray:
    found = random.normal(size=(case["rows"], *more)) * case["scale"]
    return np.round(found, case["digits"])


def probabilities(case: dict[str, Any], random: np.random.Generator, *shape: int) -> np.ndarray:
    z = np.round(random.normal(size=shape) * case["scale"], case["digits"])
    return special.softmax(z, axis=-1)
