"""Layers in their places: names, and the shapes of a row before and after each, known before the first row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nettrain.errors import ConfigError
from nettrain.nn.activation import Activation
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.receptive_field import ReceptiveField


@dataclass(frozen=True)
class Placed:
    """A layer in its place: its name in the network, the shapes of a row before and after it, its own parameters, how its state starts."""

    name: str
    layer: Layer
    input_shape: Shape
    output_shape: Shape
    parameters: Mapping[str, Parameter]
    state: Mapping[str, np.ndarray]

    @property
    def size(self) -> int:
        """How many numbers its parameters hold."""
        return sum(int(np.prod(p.shape)) for p in self.parameters.values())


def receptive_field_of(way: Sequence[Placed]) -> ReceptiveField:
    """What a place behind these layers sees of their input."""
    found = ReceptiveField()
    for placed in way:
        found = found.then(placed.layer.receptive_field(placed.input_shape))
    return found


def settle(layers: Sequence[Layer], activation: Activation | None = None) -> list[Layer]:
    """The layers, the open choices of each settled by the next activation behind it; `activation` is what follows the last."""
    settled: list[Layer] = []
    for layer in reversed(layers):
        settled.append(layer.with_next_activation(activation))
        activation = layer.activates or activation
    return settled[::-1]


def named(layers: Sequence[Layer]) -> list[tuple[str, Layer]]:
    """Each layer with its name: its type's and a number, counted a type (`dense_1`)."""
    counts: Counter[str] = Counter()
    found = []
    for layer in layers:
        counts[layer.name()] += 1
        found.append((f"{layer.name()}_{counts[layer.name()]}", layer))
    return found


def place(layers: Sequence[Layer], shape: Shape) -> list[Placed]:
    """The layers one after the other, for rows of this shape. Raises ConfigError naming the layer that does not fit."""
    placed: list[Placed] = []
    for name, layer in named(layers):
        try:
            output_shape = layer.output_shape(shape)
            placed.append(
                Placed(
                    name, layer, shape, output_shape, layer.parameters(shape), layer.state(shape)
                )
            )
        except ConfigError as error:
            raise ConfigError(
                [f"layer {len(placed) + 1} ({name}): {problem}" for problem in error.problems]
            ) from None
        shape = output_shape
    return placed
