"""One trained array of a layer."""

from dataclasses import dataclass

from nettrain.nn.initializer import Initializer

Shape = tuple[int, ...]


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
    """

    shape: Shape
    initializer: Initializer
    fan_in: int = 1
    fan_out: int = 1
    decayed: bool = True
    trainable: bool = True
    rate: float = 1.0
