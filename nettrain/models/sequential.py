"""Sequential model: a list of layers."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.errors import ConfigError
from nettrain.layers.dense import Dense
from nettrain.nn.architecture import Architecture
from nettrain.nn.layer import Layer
from nettrain.nn.parameter import Shape
from nettrain.schedules import Number


@dataclass(frozen=True, kw_only=True)
class Sequential(Architecture):
    """Sequential model. x -> layer_1 -> layer_2 -> ...

    The last dense or packed layer may leave `units` out: it then has as many as the loss needs.
    """

    layers: Annotated[
        tuple[Layer, ...],
        Field(
            min_length=1,
            description="layers in this order; the name of an activation stands for its layer",
            examples=[[{"type": "dense", "units": 64}, "relu", "dense"]],
        ),
    ]

    def expand(self, shape: Shape, outputs: int, dropout: Number) -> list[Layer]:
        if dropout:
            raise ConfigError(
                f"regularization.dropout: {dropout} has no place in a sequential model: put "
                "dropout layers into model.layers"
            )
        layers = list(self.layers)
        for index, layer in reversed(list(enumerate(layers))):
            if isinstance(layer, Dense):
                layers[index] = layer if layer.units else layer.replace(units=outputs)
                break
        return layers
