"""The base of transforms y = (x - shift) / unit + offset, which can all be inverted."""
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nettrain.data.elementwise import Elementwise
from nettrain.data.transform import State

_ROWS = 4096                                                 # converted to float64 at a time, so that pixels need no large copy


@dataclass(frozen=True, kw_only=True)
class Affine(Elementwise):
    """y = (x - shift) / unit + offset for every number of the chosen columns."""

    invertible = True

    @abstractmethod
    def measure(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """shift and unit, each of the shape of one row of the numbers (n, ...)."""

    @property
    def offset(self) -> float:
        """Where the shift lands."""
        return 0.0

    def learn(self, numbers: np.ndarray) -> State:
        """`shift` and `unit`."""
        shift, unit = self.measure(numbers)
        return {"shift": shift, "unit": unit}

    def forward(self, x: np.ndarray, state: State, names: tuple[str, ...]) -> np.ndarray:
        """(x - shift) / unit + offset."""
        return (x - np.asarray(state["shift"])) / np.asarray(state["unit"]) + self.offset

    def backward(self, y: np.ndarray, state: State) -> np.ndarray:
        """(y - offset) unit + shift."""
        return (y - self.offset) * np.asarray(state["unit"]) + np.asarray(state["shift"])


def portions(numbers: np.ndarray) -> Iterator[np.ndarray]:
    """The rows as float64, a portion at a time."""
    for start in range(0, len(numbers), _ROWS):
        yield numbers[start:start + _ROWS].astype(np.float64)


def mean_of(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of each column (each pixel), and how many numbers are there (n, ...) -> (...); NaN where there are none."""
    count = np.asarray(sum((~np.isnan(x)).sum(axis=0) for x in portions(numbers)))
    with np.errstate(invalid="ignore"):                      # 0 / 0: a column without any number has no mean
        return np.asarray(sum(np.nansum(x, axis=0) for x in portions(numbers)) / count), count
