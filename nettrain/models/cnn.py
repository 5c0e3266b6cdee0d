"""Convolutional neural network of blocks."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from nettrain.activations.relu import Relu
from nettrain.component import Count, Flag, Index, Record, Share, SmallCount
from nettrain.layers._image import KernelField, PaddingField, StrideField
from nettrain.layers.dropout import Dropout
from nettrain.layers.global_average_pool import GlobalAveragePool
from nettrain.layers.global_max_pool import GlobalMaxPool
from nettrain.models._blocks import conv, head, pool
from nettrain.nn.activation import Activation
from nettrain.nn.architecture import Architecture
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Shape
from nettrain.schedules import Number


@dataclass(frozen=True, kw_only=True)
class Block(Record):
    """Convolution, batch_norm if wanted and activation, `repeat` times; max pooling; dropout.

    The stride is that of the first convolution.
    """

    filters: Annotated[Count, Field(description="filters of each convolution")]
    kernel: KernelField = 3
    stride: StrideField = 1
    padding: PaddingField = "same"
    repeat: Annotated[SmallCount, Field(description="number of convolutions")] = 1
    batch_norm: Annotated[Flag, Field(description="batch normalization before each activation")] = (
        False
    )
    activation: Annotated[Activation, Field(description="activation of each convolution")] = Relu()
    pool: Annotated[
        Index, Field(description="size and stride of the max pooling windows; 0 or 1: none")
    ] = 2
    dropout: Annotated[Share, Field(description="fraction of the block's outputs dropped")] = 0.0

    def layers(self) -> list[Layer]:
        """Returns the layers of the block."""
        layers: list[Layer] = []
        for number in range(self.repeat):
            stride = self.stride if number == 0 else 1
            layers += conv(
                self.filters,
                self.kernel,
                self.activation,
                stride=stride,
                padding=self.padding,
                batch_norm=self.batch_norm,
            )
        if self.pool > 1:
            layers.append(pool("max", self.pool))
        if self.dropout:
            layers.append(Dropout(rate=self.dropout))
        return layers


@dataclass(frozen=True, kw_only=True)
class Cnn(Architecture):
    """Convolutional network. Blocks of convolutions and pooling, then dense layers as in `mlp`.

    A block: a convolution, batch_norm if wanted and the activation, `repeat` times, the stride
    being that of the first; then max pooling of adjacent windows of `pool` x `pool` pixels (0:
    none), then dropout. `padding: same` keeps the size that the stride leaves. Before the dense
    layers the images of the last block are flattened, or pooled to one number per channel with
    `global_pool`. `regularization.dropout` follows each hidden dense layer; a block has its own.
    LeCun et al. 1998; Simonyan & Zisserman 2015.
    """

    blocks: Annotated[
        tuple[Block, ...],
        Field(
            min_length=1,
            description="blocks of convolutions, in this order",
            examples=[[{"filters": 32}, {"filters": 64}]],
        ),
    ] = (Block(filters=32), Block(filters=64))
    hidden: Annotated[
        tuple[Count, ...], Field(description="units of each hidden dense layer", examples=[[128]])
    ] = ()
    activation: Annotated[
        Activation, Field(description="activation of the hidden dense layers")
    ] = Relu()
    global_pool: Annotated[
        Literal["average", "max"] | None,
        Field(description="global pooling before the dense layers; null: flatten"),
    ] = None

    def expand(self, shape: Shape, outputs: int, dropout: Number) -> list[Layer]:
        layers = [layer for block in self.blocks for layer in block.layers()]
        if self.global_pool is not None:
            layers.append(GlobalAveragePool() if self.global_pool == "average" else GlobalMaxPool())
        return layers + head(
            self.hidden, outputs, self.activation, dropout, flat=self.global_pool is not None
        )
