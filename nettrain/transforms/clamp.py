"""Clamping to the range that was seen."""

from dataclasses import dataclass

import numpy as np

from nettrain.data.elementwise import Elementwise
from nettrain.data.features import Features
from nettrain.data.linear import chunks_of
from nettrain.data.rows.base import LazyRows
from nettrain.data.transform import State


@dataclass(frozen=True, kw_only=True)
class Clamp(Elementwise):
    """Clamping to the range that was seen. y = min(max(x, min), max).

    min and max of each feature (each pixel) over the training rows; missing cells are left out. A
    number outside becomes the nearer end: a network extrapolates badly.

    In `dataset.target_transforms` it clamps predictions to the range of the targets in the training
    and validation rows. Targets and loss stay as they are; metrics are those of the clamped
    predictions. `[clamp, standardize]` is the output of RealMLP (Holzmüller et al. 2024), whose
    package takes the range of the training rows alone for its TabM.
    """

    invertible = True
    by_chunks = True
    learns_from_validation = True

    def learn(self, numbers: np.ndarray | LazyRows) -> State:
        """`low` and `high`."""
        ends = [(np.fmin.reduce(x, axis=0), np.fmax.reduce(x, axis=0)) for x in chunks_of(numbers)]
        return {
            "low": np.fmin.reduce([low for low, _ in ends]).astype(np.float64),
            "high": np.fmax.reduce([high for _, high in ends]).astype(np.float64),
        }

    def forward(self, x: np.ndarray, state: State, names: tuple[str, ...]) -> np.ndarray:
        return np.clip(x, np.asarray(state["low"]), np.asarray(state["high"]))

    def apply_to_targets(self, targets: Features, state: State) -> Features:
        """The targets as they are."""
        return targets

    def backward(self, y: np.ndarray, state: State) -> np.ndarray:
        """min(max(y, min), max): what is beyond was never seen."""
        return np.clip(y, np.asarray(state["low"]), np.asarray(state["high"]))
