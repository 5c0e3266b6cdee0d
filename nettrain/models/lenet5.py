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


@dataclass(frozen=True, kw_only=True)
class Lenet5(Architecture):
    """Convolution 5 x 5 to 6 channels, pool; 5 x 5 to 16, pool; dense 120, dense 84, outputs.  LeCun et al. 1998, fig. 2.

    Of images 28 x 28 with one channel and 10 classes 61,706 parameters. Changed from the paper: pools have no trained coefficient and bias
    (its S2 and S4 do, with a sigmoid behind); each of the 16 channels sees all 6 before it (table I connects some); the outputs are a dense
    layer for the loss (there distances to drawn digits: RBF); tanh is plain (there 1.7159 tanh(2 x / 3)). `padding: same` gives images
    28 x 28 the border that the paper's have, which are 32 x 32. Dropout, if any, stands behind the two hidden dense layers.
    """

    activation: Annotated[
        Activation, Field(description="of the convolutions and the hidden dense layers")
    ] = Tanh()
    pool: Annotated[Pooling, Field(description="what the pools take of 2 x 2 pixels")] = "average"
    padding: Annotated[Literal["same", "valid"], Field(description="of the first convolution")] = (
        "same"
    )

    def expand(self, shape: Shape, outputs: int, dropout: float) -> list[Layer]:
        first = conv(6, 5, self.activation, padding=self.padding)
        second = conv(16, 5, self.activation, padding="valid")
        return [
            *first,
            pool(self.pool),
            *second,
            pool(self.pool),
            *head((120, 84), outputs, self.activation, dropout),
        ]
