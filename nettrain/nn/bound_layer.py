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
class BoundLayer:
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


def receptive_field_of(way: Sequence[BoundLayer]) -> ReceptiveField:
    """What a place behind these layers sees of their input."""
    found = ReceptiveField()
    for bound in way:
        found = found.then(bound.layer.receptive_field(bound.input_shape))
    return found


def resolve(layers: Sequence[Layer], activation: Activation | None = None) -> list[Layer]:
    """The layers, the open choices of each settled by the next activation behind it; `activation` is what follows the last."""
    settled: list[Layer] = []
    for layer in reversed(layers):
        settled.append(layer.with_next_activation(activation))
        activation = layer.activates or activation
    return settled[::-1]


def name_layers(layers: Sequence[Layer]) -> list[tuple[str, Layer]]:
    """Each layer with its name: its type's and a number, counted a type (`dense_1`)."""
    counts: Counter[str] = Counter()
    found = []
    for layer in layers:
        counts[layer.name()] += 1
        found.append((f"{layer.name()}_{counts[layer.name()]}", layer))
    return found


def bind(layers: Sequence[Layer], shape: Shape) -> list[BoundLayer]:
    """The layers one after the other, for rows of this shape. Raises ConfigError naming the layer that does not fit."""
    bound: list[BoundLayer] = []
    for name, layer in name_layers(layers):
        try:
            output_shape = layer.output_shape(shape)
            bound.append(
                BoundLayer(
                    name, layer, shape, output_shape, layer.parameters(shape), layer.state(shape)
                )
            )
        except ConfigError as error:
            raise ConfigError(
                [f"layer {len(bound) + 1} ({name}): {problem}" for problem in error.problems]
            ) from None
        shape = output_shape
    return bound
