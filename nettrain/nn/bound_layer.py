"""Layers bound to their inputs: names, shapes and parameters, known before the first row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nettrain.errors import ConfigError
from nettrain.nn.activation import Activation
from nettrain.nn.columns import cardinalities_of
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.receptive_field import ReceptiveField


@dataclass(frozen=True)
class BoundLayer:
    """A layer bound to its place in a network.

    Attributes:
        name: in the network: `dense_1`.
        layer: the layer.
        input_shape, output_shape: of one row.
        parameters: its own, by name.
        state: initial values of its state, by name.
    """

    name: str
    layer: Layer
    input_shape: Shape
    output_shape: Shape
    parameters: Mapping[str, Parameter]
    state: Mapping[str, np.ndarray]

    @property
    def size(self) -> int:
        """The number of values in its parameters."""
        return sum(int(np.prod(p.shape)) for p in self.parameters.values())


def receptive_field_of(layers: Sequence[BoundLayer]) -> ReceptiveField:
    """Returns the receptive field of layers one after the other."""
    field = ReceptiveField()
    for bound in layers:
        field = field.then(bound.layer.receptive_field(bound.input_shape))
    return field


def resolve(layers: Sequence[Layer], activation: Activation | None = None) -> list[Layer]:
    """Returns the layers with their open choices made, each for the activation that follows it.

    Args:
        layers: in order.
        activation: what follows the last layer.
    """
    resolved: list[Layer] = []
    for layer in reversed(layers):
        resolved.append(layer.with_next_activation(activation))
        activation = layer.activates or activation
    return resolved[::-1]


def name_layers(layers: Sequence[Layer]) -> list[tuple[str, Layer]]:
    """Returns each layer with its name: its type and a number per type (`dense_1`)."""
    counts: Counter[str] = Counter()
    named = []
    for layer in layers:
        counts[layer.name()] += 1
        named.append((f"{layer.name()}_{counts[layer.name()]}", layer))
    return named


def bind(layers: Sequence[Layer], shape: Shape) -> list[BoundLayer]:
    """Returns the layers bound, one after the other, for rows of this shape.

    Raises:
        ConfigError: a layer does not fit; the message names it.
    """
    bound: list[BoundLayer] = []
    for name, layer in name_layers(layers):
        try:
            if bound and bound[-1].layer.ends_network:
                raise ConfigError(f"nothing can follow {bound[-1].layer.name()}")
            layer = layer.with_input_shape(shape)
            _check_codes(layer, shape)
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


def _check_codes(layer: Layer, shape: Shape) -> None:
    """Raises ConfigError where a layer would take codes of categories for quantities."""
    codes = len(cardinalities_of(shape))
    if codes and not layer.takes_codes:
        raise ConfigError(
            f"{layer.name()} would take codes of categories ({codes} of {shape[0]} inputs) for "
            "quantities: put the layer by_columns in front, which embeds them, or use one_hot in "
            "place of ordinal in `dataset.transforms`"
        )
