"""The base of all transforms: what they learn is plain arrays, which a checkpoint can hold."""

from abc import abstractmethod
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from nettrain.component import Component, Text
from nettrain.data.features import Features
from nettrain.data.target import Target
from nettrain.errors import ConfigError, DataError, nearest

State = dict[str, np.ndarray | list[str]]
Columns = Annotated[
    tuple[Text, ...] | None,
    Field(description="names of the columns it changes; null: all that it can"),
]


class OutsideDomain(DataError):
    """A number that a transform is not defined for.

    Attributes:
        row: Its index among the rows given. Callers put in front of the message where it is.
    """

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


class Transform(Component):
    """Learns its state from the training part, then maps any features.

    A constant column is no error.

    Attributes:
        invertible: Whether `invert` exists, as target transforms need it.
        by_chunks: Whether `fit` takes lazy rows (`LazyRows`) a chunk at a time; otherwise it gets
            all of them in an array.
        learns_from_validation: Whether, as a target transform, it is fitted to the targets of the
            validation rows too.
    """

    kind = "transform"
    package = "nettrain.transforms"
    invertible: ClassVar[bool] = False
    by_chunks: ClassVar[bool] = False
    learns_from_validation: ClassVar[bool] = False

    @abstractmethod
    def fit(self, features: Features) -> State:
        """The state learned from the training part, such as `mean`: arrays or lists of names."""

    def fit_to_target(self, features: Features, target: Target | None) -> State:
        """The state learned from the training part and its targets; by default these are ignored.

        Args:
            features: The training rows.
            target: What is to be predicted of them; None: an autoencoder's rows have no target.
        """
        return self.fit(features)

    @abstractmethod
    def apply(self, features: Features, state: State) -> Features:
        """The features mapped, as new arrays.

        Raises:
            OutsideDomain: The transform is not defined for a number.
        """

    def apply_in_training(
        self, features: Features, state: State, target: Target | None
    ) -> Features:
        """The training rows mapped; by default as all others.

        A transform that learns from targets overrides it where a row would show its own.
        """
        return self.apply(features, state)

    def apply_to_targets(self, targets: Features, state: State) -> Features:
        """The targets mapped; by default as features are."""
        return self.apply(targets, state)

    def invert(self, numbers: np.ndarray, state: State) -> np.ndarray:
        """The numbers that `apply` would have mapped to these; only if `invertible`."""
        raise TypeError(f"{type(self).__name__} cannot be inverted")


def check_columns(columns: tuple[str, ...] | None, known: tuple[str, ...], transform: str) -> None:
    """Check that the chosen columns are known.

    Raises:
        ConfigError: One is not.
    """
    for name in columns or ():
        if name not in known:
            there = f"there are: {', '.join(known)}" if known else "there are none of that kind"
            raise ConfigError(
                f"dataset.transforms: {transform}.columns: no column {name!r}"
                f"{nearest(name, known)} ({there})"
            )
