"""A layer of your own, with a parameter: each feature is multiplied by a learned factor.

plugins: [plugins/layer.py]
model: {type: sequential, layers: [gate, {type: dense, units: 16}, tanh, dense]}
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain import Initializer, Parameter, Scope, Tensor, TrainedLayer


@dataclass(frozen=True, kw_only=True)
class Gate(TrainedLayer):
    """Gate. y = a * x, element by element, with a factor a per feature.

    x (n, i) -> y (n, i).
    """

    initializer: Annotated[Initializer, Field(description="initializer of the factors")] = (
        Initializer.parse({"type": "constant", "value": 1.0})
    )

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of one output row."""
        return shape

    def arrays(self, shape: tuple[int, ...]) -> dict[str, Parameter]:
        """Return the parameters of the layer, by name."""
        return {"a": Parameter(shape, self.initializer, fan_in=1, fan_out=1)}

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """Return the outputs; the gradient follows from the operations used."""
        return x * scope["a"]
