"""What layers of weights and biases have in common: their fields, and how the weights start."""

from typing import Annotated

from pydantic import Field

from nettrain.component import Flag
from nettrain.nn.activation import Activation
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Layer, TrainedLayer
from nettrain.nn.parameter import Parameter

BiasField = Annotated[Flag, Field(description="whether a bias is added")]
InitializerField = Annotated[
    Initializer | None,
    Field(
        description="initializer of the weights; null: the one for the next activation, else xavier"
    ),
]
BiasInitializerField = Annotated[Initializer, Field(description="initializer of the bias")]
ZEROS = Initializer.parse("zeros")


class WeightedLayer(TrainedLayer):
    """A layer y = weights applied to x, plus a bias. Its subclasses declare these fields."""

    bias: bool
    initializer: Initializer | None
    bias_initializer: Initializer

    def with_next_activation(self, activation: Activation | None) -> Layer:
        if self.initializer is not None:
            return self
        return self.replace(
            initializer=Initializer.parse(activation.initializer if activation else "xavier")
        )

    @property
    def weight_initializer(self) -> Initializer:
        """The initializer of the weights; xavier where it is still open."""
        return self.initializer or Initializer.parse("xavier")

    def bias_parameter(self, outputs: int) -> dict[str, Parameter]:
        """Returns `b`, if there is a bias."""
        b = Parameter((outputs,), self.bias_initializer, decayed=False, group="bias")
        return {"b": b} if self.bias else {}
