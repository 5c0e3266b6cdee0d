"""LeNet-5."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from nettrain.activations.tanh import Tanh
from nettrain.models._blocks import Pooling, conv, head, pool
from nettrain.nn.activation import Activation
from nettrain.nn.architecture import Architecture
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Shape
from nettrain.schedules import Number


@dataclass(frozen=True, kw_only=True)
class Lenet5(Architecture):
    """LeNet-5. Convolution 5 x 5 of 6 filters, pool; 5 x 5 of 16, pool; dense 120, 84, outputs.

    61,706 parameters for images of 28 x 28 x 1 and 10 classes. Changes from the paper: pools have
    no trained coefficient and bias (its S2 and S4 do, followed by a sigmoid); each of the 16
    filters sees all 6 channels (table I connects some); the outputs are a dense layer for the loss
    (there distances to drawn digits: RBF); tanh is plain (there 1.7159 tanh(2 x / 3)). `padding:
    same` gives images of 28 x 28 the border that the paper's have, which are 32 x 32. Dropout, if
    any, follows the two hidden dense layers. LeCun et al. 1998, fig. 2.
    """

    activation: Annotated[
        Activation, Field(description="activation of convolutions and hidden dense layers")
    ] = Tanh()
    pool: Annotated[Pooling, Field(description="type of the 2 x 2 pooling")] = "average"
    padding: Annotated[
        Literal["same", "valid"], Field(description="padding of the first convolution")
    ] = "same"

    def expand(self, shape: Shape, outputs: int, dropout: Number) -> list[Layer]:
        first = conv(6, 5, self.activation, padding=self.padding)
        second = conv(16, 5, self.activation, padding="valid")
        return [
            *first,
            pool(self.pool),
            *second,
            pool(self.pool),
            *head((120, 84), outputs, self.activation, dropout),
        ]
