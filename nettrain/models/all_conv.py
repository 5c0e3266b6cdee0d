"""All-CNN: the all-convolutional network."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.activations.relu import Relu
from nettrain.component import Count, Flag, Share
from nettrain.layers._image import Padding
from nettrain.layers.dropout import Dropout
from nettrain.layers.global_average_pool import GlobalAveragePool
from nettrain.models._blocks import conv
from nettrain.nn.activation import Activation
from nettrain.nn.architecture import Architecture
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Shape
from nettrain.schedules import Number


@dataclass(frozen=True, kw_only=True)
class AllConv(Architecture):
    """All-CNN-C. Convolutions, those of stride 2 in place of pools, then global average pooling.

    3 x 3 convolutions of `width`, `width` and (stride 2) `width` filters, then of twice the width:
    3 x 3, 3 x 3 (stride 2), 3 x 3 (no padding), 1 x 1, and 1 x 1 to the outputs. Images of at least
    9 x 9 pixels. The paper drops 0.2 of the inputs, and 0.5 after each stride: `input_dropout` and
    `regularization.dropout`. Springenberg, Dosovitskiy, Brox & Riedmiller 2015, table 1.
    """

    width: Annotated[
        Count, Field(description="filters of the first convolutions; later ones have twice as many")
    ] = 96
    batch_norm: Annotated[
        Flag,
        Field(description="batch normalization before each activation"),
    ] = False
    activation: Annotated[
        Activation, Field(description="activation of each convolution but the last")
    ] = Relu()
    input_dropout: Annotated[Share, Field(description="fraction of the input pixels dropped")] = 0.0

    def expand(self, shape: Shape, outputs: int, dropout: Number) -> list[Layer]:
        narrow, wide = self.width, 2 * self.width
        dropped: list[Layer] = [Dropout(rate=dropout)] if dropout else []
        return [
            *([Dropout(rate=self.input_dropout)] if self.input_dropout else []),
            *self._conv(narrow), *self._conv(narrow), *self._conv(narrow, stride=2), *dropped,
            *self._conv(wide), *self._conv(wide), *self._conv(wide, stride=2), *dropped,
            *self._conv(wide, padding="valid"), *self._conv(wide, kernel=1),
            *conv(outputs, 1, None), GlobalAveragePool(),
        ]  # fmt: skip

    def _conv(
        self, filters: int, *, kernel: int = 3, stride: int = 1, padding: Padding = "same"
    ) -> list[Layer]:
        return conv(filters, kernel, self.activation, stride=stride, padding=padding,
                    batch_norm=self.batch_norm)  # fmt: skip
