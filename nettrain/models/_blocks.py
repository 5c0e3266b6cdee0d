"""The groups of layers that convolutional architectures are made of."""

from typing import Literal

from nettrain.layers._image import Padding, Size
from nettrain.layers.activation import Activation as ActivationLayer
from nettrain.layers.average_pool import AveragePool
from nettrain.layers.batch_norm import BatchNorm
from nettrain.layers.conv import Conv
from nettrain.layers.dense import Dense
from nettrain.layers.dropout import Dropout
from nettrain.layers.flatten import Flatten
from nettrain.layers.max_pool import MaxPool
from nettrain.nn.activation import Activation
from nettrain.nn.layer import Layer
from nettrain.schedules import Number

Pooling = Literal["max", "average"]


def conv(
    filters: int,
    kernel: Size,
    activation: Activation | None,
    *,
    stride: Size = 1,
    padding: Padding = "same",
    batch_norm: bool = False,
) -> list[Layer]:
    """Returns a convolution and its activation, if any.

    With batch_norm between them the convolution needs no bias: beta takes its place.
    """
    layers: list[Layer] = [
        Conv(filters=filters, kernel=kernel, stride=stride, padding=padding, bias=not batch_norm)
    ]
    if batch_norm:
        layers.append(BatchNorm())
    return layers if activation is None else [*layers, ActivationLayer(function=activation)]


def pool(kind: Pooling, size: Size = 2) -> Layer:
    """Returns a pooling layer of adjacent windows."""
    return MaxPool(size=size) if kind == "max" else AveragePool(size=size)


def head(
    hidden: tuple[int, ...],
    outputs: int,
    activation: Activation,
    dropout: Number,
    *,
    flat: bool = False,
) -> list[Layer]:
    """Returns hidden dense layers with activation and dropout, and the output layer.

    Args:
        hidden: units of each hidden layer.
        outputs: units of the output layer.
        activation: of the hidden layers.
        dropout: rate after each hidden layer; 0: none.
        flat: whether the inputs are rows of numbers, so that they need no flattening.
    """
    layers: list[Layer] = [] if flat else [Flatten()]
    for units in hidden:
        layers += [Dense(units=units), ActivationLayer(function=activation)]
        if dropout:
            layers.append(Dropout(rate=dropout))
    return [*layers, Dense(units=outputs)]
