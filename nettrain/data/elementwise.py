"""The base of transforms that map each number by itself; a missing number (NaN) stays missing."""

import dataclasses
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from nettrain.data.features import Features
from nettrain.data.rows.base import LazyRows
from nettrain.data.rows.columns import take_columns
from nettrain.data.transform import Columns, State, Transform, check_columns


@dataclass(frozen=True, kw_only=True)
class Elementwise(Transform):
    """y = forward(x) for every number of the chosen columns."""

    columns: Columns = None

    @abstractmethod
    def learn(self, numbers: np.ndarray | LazyRows) -> State:
        """The state, from the chosen columns (n, ...) of the training rows."""

    @abstractmethod
    def forward(self, x: np.ndarray, state: State, names: tuple[str, ...]) -> np.ndarray:
        """Map the numbers of the chosen columns.

        Args:
            x: Float64 numbers (n, ...).
            state: As `learn` returned it.
            names: Of those columns; empty for images.
        """

    def backward(self, y: np.ndarray, state: State) -> np.ndarray:
        """x for y; only where `invertible`."""
        raise TypeError(f"{type(self).__name__} cannot be inverted")

    def fit(self, features: Features) -> State:
        """What `learn` learns, and the indices of the chosen columns (`places`)."""
        check_columns(self.columns, features.names, self.name())
        if self.columns is None:
            return self.learn(features.numbers)
        indices = np.array([features.names.index(name) for name in self.columns], dtype=np.int64)
        chosen = take_columns(features.numbers, indices)
        return self.learn(chosen) | {"places": indices}

    def apply(self, features: Features, state: State) -> Features:
        """The chosen columns mapped, in float64."""
        y = features.array.astype(np.float64)
        chosen = _chosen(state)
        names = tuple(np.array(features.names, dtype=object)[chosen]) if features.names else ()
        y[..., chosen] = self.forward(y[..., chosen], state, names)
        return dataclasses.replace(features, numbers=y)

    def invert(self, numbers: np.ndarray, state: State) -> np.ndarray:
        """The numbers that `apply` maps to these."""
        x = numbers.astype(np.float64)
        chosen = _chosen(state)
        x[..., chosen] = self.backward(x[..., chosen], state)
        return x


def _chosen(state: State) -> np.ndarray | slice:
    return np.asarray(state["places"]) if "places" in state else slice(None)
