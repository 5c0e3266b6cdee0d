"""ResNet for small images."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.activations.relu import Relu
from nettrain.component import Count, Flag, SmallCount
from nettrain.layers.activation import Activation as ActivationLayer
from nettrain.layers.dense import Dense
from nettrain.layers.dropout import Dropout
from nettrain.layers.global_average_pool import GlobalAveragePool
from nettrain.layers.residual import Residual
from nettrain.models._blocks import conv
from nettrain.nn.activation import Activation
from nettrain.nn.architecture import Architecture
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Shape
from nettrain.schedules import Number


@dataclass(frozen=True, kw_only=True)
class SmallResnet(Architecture):
    """ResNet. Convolution; a stage of residual blocks per width; global average pooling; dense.

    A block is two 3 x 3 convolutions. In the paper the widths are [16, 32, 64], and a stage has 3,
    5, 7, 9 or 18 blocks, which makes 6 blocks + 2 layers (20 to 110). From the second stage on the
    first block halves height and width, and its input is projected to the new shape (option B; the
    paper's option A pads with zero channels). Dropout, if any, precedes the outputs. He, Zhang, Ren
    & Sun 2016, section 4.2.
    """

    blocks: Annotated[SmallCount, Field(description="residual blocks per stage")] = 3
    widths: Annotated[
        tuple[Count, ...], Field(min_length=1, description="filters of each stage")
    ] = (16, 32, 64)
    batch_norm: Annotated[Flag, Field(description="batch normalization after each convolution")] = (
        True
    )
    activation: Annotated[
        Activation, Field(description="activation of each convolution and of each sum")
    ] = Relu()
    projection: Annotated[
        Flag | None,
        Field(description="whether every block projects its input; null: where the shape changes"),
    ] = None

    def expand(self, shape: Shape, outputs: int, dropout: Number) -> list[Layer]:
        layers = conv(self.widths[0], 3, self.activation, batch_norm=self.batch_norm)
        for stage, width in enumerate(self.widths):
            for number in range(self.blocks):
                layers += self._block(width, 2 if stage and not number else 1)
        layers.append(GlobalAveragePool())
        return [*layers, *([Dropout(rate=dropout)] if dropout else []), Dense(units=outputs)]

    def _block(self, width: int, stride: int) -> list[Layer]:
        inside = [
            *conv(width, 3, self.activation, stride=stride, batch_norm=self.batch_norm),
            *conv(width, 3, None, batch_norm=self.batch_norm),
        ]
        return [
            Residual(layers=tuple(inside), projection=self.projection),
            ActivationLayer(function=self.activation),
        ]
