"""The base of all transforms: state is passed in and out, so a fitted transform is plain arrays that a checkpoint can hold."""
from abc import abstractmethod
from typing import ClassVar

import numpy as np

from nettrain.component import Component
from nettrain.data.features import Features

State = dict[str, np.ndarray | list[str]]


class Transform(Component):
    """Learns its state from the training part, then maps any features. A constant column is no error."""

    kind = "transform"
    package = "nettrain.transforms"
    invertible: ClassVar[bool] = False

    @abstractmethod
    def fit(self, features: Features) -> State:
        """The state learned from the training part (`mean`, `deviation` ...); arrays or lists of names."""

    @abstractmethod
    def apply(self, features: Features, state: State) -> Features:
        """The features mapped, as new arrays."""

    def invert(self, numbers: np.ndarray, state: State) -> np.ndarray:
        """The numbers that `apply` would have mapped to these; only where `invertible` (target transforms need it)."""
        raise TypeError(f"{type(self).__name__} cannot be inverted")
