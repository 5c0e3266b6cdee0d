"""A fitted transform, chains of them, and how a checkpoint holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.component import to_mapping
from nettrain.data.features import Features
from nettrain.data.target import Target
from nettrain.data.transform import State, Transform


@dataclass(frozen=True)
class Fitted:
    """A transform with what it learned from the training part."""

    transform: Transform
    state: State


def transformed(
    features: Features, transforms: Sequence[Fitted], trained_on: Target | None = None
) -> Features:
    """The features after all transforms, one after the other.

    Args:
        features: The raw columns.
        transforms: In order.
        trained_on: The targets of rows that a network is to be trained on.

    Raises:
        OutsideDomain: A transform has no value for a number.
    """
    for fitted in transforms:
        transform, state = fitted.transform, fitted.state
        if trained_on is None:
            features = transform.apply(features, state)
        else:
            features = transform.apply_in_training(features, state, trained_on)
    return features


@dataclass(frozen=True)
class PackedTransform:
    """A fitted transform as a checkpoint holds it.

    Attributes:
        transform: Its type and its keys.
        texts: The part of its state that JSON holds.
        arrays: The names of the other part, whose arrays the checkpoint holds by name.
    """

    transform: dict[str, Any]
    texts: dict[str, list[str]]
    arrays: list[str]


def pack(
    chain: Sequence[Fitted], prefix: str
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """What JSON can hold of a chain, and its arrays by name; the names begin with the prefix."""
    packed = []
    arrays: dict[str, np.ndarray] = {}
    for index, fitted in enumerate(chain):
        state = fitted.state.items()
        texts = {name: value for name, value in state if isinstance(value, list)}
        numbers = {name: value for name, value in state if isinstance(value, np.ndarray)}
        transform = to_mapping(fitted.transform)
        packed.append({"transform": transform, "texts": texts, "arrays": sorted(numbers)})
        arrays |= {f"{prefix}.{index}.{name}": value for name, value in numbers.items()}
    return packed, arrays


def unpack(
    chain: Sequence[PackedTransform], arrays: Mapping[str, np.ndarray], prefix: str
) -> tuple[Fitted, ...]:
    """The chain that `pack` wrote.

    Raises:
        LookupError: An array is not there.
        PydanticCustomError: There is no such transform, or it has no such keys.
    """
    found = []
    for index, packed in enumerate(chain):
        numbers = {name: arrays[f"{prefix}.{index}.{name}"] for name in packed.arrays}
        found.append(Fitted(Transform.parse(packed.transform), packed.texts | numbers))
    return tuple(found)
