"""The base of transforms y = (x - shift) / unit + offset, which can all be inverted."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nettrain.data.elementwise import Elementwise
from nettrain.data.rows.base import LazyRows, chunks
from nettrain.data.transform import State


@dataclass(frozen=True, kw_only=True)
class LinearTransform(Elementwise):
    """y = (x - shift) / unit + offset for every number of the chosen columns."""

    invertible = True
    by_chunks = True

    @abstractmethod
    def measure(self, numbers: np.ndarray | LazyRows) -> tuple[np.ndarray, np.ndarray]:
        """shift and unit, each of the shape of one row of the numbers (n, ...)."""

    @property
    def offset(self) -> float:
        """Where the shift lands."""
        return 0.0

    def learn(self, numbers: np.ndarray | LazyRows) -> State:
        """`shift` and `unit`."""
        shift, unit = self.measure(numbers)
        return {"shift": shift, "unit": unit}

    def forward(self, x: np.ndarray, state: State, names: tuple[str, ...]) -> np.ndarray:
        """(x - shift) / unit + offset."""
        return (x - np.asarray(state["shift"])) / np.asarray(state["unit"]) + self.offset

    def backward(self, y: np.ndarray, state: State) -> np.ndarray:
        """(y - offset) unit + shift."""
        return (y - self.offset) * np.asarray(state["unit"]) + np.asarray(state["shift"])


def chunks_of(numbers: np.ndarray | LazyRows) -> Iterator[np.ndarray]:
    """The rows as they are, a chunk at a time."""
    for chunk in chunks(numbers.shape):
        yield numbers[chunk]


def as_float64(numbers: np.ndarray | LazyRows) -> Iterator[np.ndarray]:
    """The rows as float64, a chunk at a time."""
    for chunk in chunks_of(numbers):
        yield chunk.astype(np.float64)


def mean_of(numbers: np.ndarray | LazyRows) -> tuple[np.ndarray, np.ndarray]:
    """The mean of each column or pixel, and how many numbers it has: (n, ...) -> (...) twice.

    The mean is NaN where there are none.
    """
    count, total = np.zeros(numbers.shape[1:], np.int64), np.zeros(numbers.shape[1:])
    for x in as_float64(numbers):
        count += (~np.isnan(x)).sum(axis=0)
        total += np.nansum(x, axis=0)
    with np.errstate(invalid="ignore"):  # 0 / 0: a column without any number has no mean
        return total / count, count
