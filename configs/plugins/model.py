"""An architecture of your own: a multi-layer perceptron that narrows by half from layer to layer.

plugins: [plugins/model.py]
model: {type: funnel, first: 32, depth: 3}
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain import Architecture, Count, Layer, Scheduled


@dataclass(frozen=True, kw_only=True)
class Funnel(Architecture):
    """Funnel. Dense and relu, `depth` times, each layer half as wide as the one before; dense."""

    first: Annotated[Count, Field(description="units of the first layer")] = 64
    depth: Annotated[Count, Field(le=20, description="number of hidden layers")] = 3

    def expand(
        self, shape: tuple[int, ...], outputs: int, dropout: float | Scheduled
    ) -> list[Layer]:
        """Return the layers; `Layer.parse` takes what a YAML file would say."""
        layers: list[object] = ["flatten"] if len(shape) > 1 else []
        for index in range(self.depth):
            layers += [{"type": "dense", "units": max(self.first // 2**index, 1)}, "relu"]
            layers += [{"type": "dropout", "rate": dropout}] if dropout else []
        return [Layer.parse(layer) for layer in [*layers, {"type": "dense", "units": outputs}]]
