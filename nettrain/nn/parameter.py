"""One trained array of a layer."""

from dataclasses import dataclass
from typing import Literal

from nettrain.nn.initializer import Initializer

Shape = tuple[int, ...]
Group = Literal["weight", "bias", "scale", "activation", "embedding"]


@dataclass(frozen=True)
class Parameter:
    """One trained array of a layer, before it has values.

    Attributes:
        shape: of the array.
        initializer: draws the initial values.
        fan_in, fan_out: inputs per output and outputs per input, for the initializer.
        decayed: whether l1 and l2 apply to it: to weights, not to biases and normalization
            parameters.
        trainable: whether training changes it; set by `TrainedLayer`.
        rate: the factor of the learning rate; `TrainedLayer` multiplies it by the layer's.
        group: what it does in its layer: `training.learning_rates` may give each group a factor of
            its own. bias: is added; scale: multiplies channels; activation: belongs to an
            activation; embedding: of a layer that embeds features.
    """

    shape: Shape
    initializer: Initializer
    fan_in: int = 1
    fan_out: int = 1
    decayed: bool = True
    trainable: bool = True
    rate: float = 1.0
    group: Group = "weight"
