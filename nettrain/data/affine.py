"""The base of transforms that map each number alone, y = (x - shift) / unit + offset, and so can be inverted."""
import dataclasses
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nettrain.data.features import Features
from nettrain.data.transform import Columns, State, Transform, check_columns

_ROWS = 4096                                                 # converted to float64 at a time, so that pixels need no large copy


@dataclass(frozen=True, kw_only=True)
class Affine(Transform):
    """y = (x - shift) / unit + offset for every number of the chosen columns, on rows of any shape; NaN stays NaN."""

    columns: Columns = None
    invertible = True

    @abstractmethod
    def measure(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """shift and unit, each of the shape of one row of the numbers (n, ...)."""

    @property
    def offset(self) -> float:
        """Where the shift lands."""
        return 0.0

    def fit(self, features: Features) -> State:
        """`shift` and `unit`, and the places of the chosen columns."""
        check_columns(self.columns, features.names, self.name())
        places = None if self.columns is None else np.array([features.names.index(name) for name in self.columns], dtype=np.int64)
        shift, unit = self.measure(features.numbers if places is None else features.numbers[..., places])
        chosen: State = {} if places is None else {"places": places}
        return {"shift": shift, "unit": unit} | chosen

    def apply(self, features: Features, state: State) -> Features:
        """(x - shift) / unit + offset."""
        y = features.numbers.astype(np.float64)
        chosen = _chosen(state)
        y[..., chosen] = (y[..., chosen] - np.asarray(state["shift"])) / np.asarray(state["unit"]) + self.offset
        return dataclasses.replace(features, numbers=y)

    def invert(self, numbers: np.ndarray, state: State) -> np.ndarray:
        """(y - offset) unit + shift."""
        x = numbers.astype(np.float64)
        chosen = _chosen(state)
        x[..., chosen] = (x[..., chosen] - self.offset) * np.asarray(state["unit"]) + np.asarray(state["shift"])
        return x


def _chosen(state: State) -> np.ndarray | slice:
    return np.asarray(state["places"]) if "places" in state else slice(None)


def portions(numbers: np.ndarray) -> Iterator[np.ndarray]:
    """The rows as float64, a portion at a time."""
    for start in range(0, len(numbers), _ROWS):
        yield numbers[start:start + _ROWS].astype(np.float64)
