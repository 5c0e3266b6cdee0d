"""What the normalizations have in common: a scale and a shift per channel."""

from typing import Annotated

from pydantic import Field

from nettrain.component import Positive
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import TrainedLayer
from nettrain.nn.parameter import Parameter, Shape

EpsilonField = Annotated[
    Positive, Field(description="added to the variance: keeps the division finite")
]


class Normalization(TrainedLayer):
    """y = gamma * normalized x + beta, gamma and beta (c,) per channel."""

    independent_rows = True

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        ones, zeros = (
            Initializer.parse({"type": "constant", "value": 1.0}),
            Initializer.parse("zeros"),
        )
        return {
            "gamma": Parameter(shape[-1:], ones, decayed=False, group="scale"),
            "beta": Parameter(shape[-1:], zeros, decayed=False, group="bias"),
        }
