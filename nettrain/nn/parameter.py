"""One array that a layer trains."""

from dataclasses import dataclass

from nettrain.nn.initializer import Initializer

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Parameter:
    """One array of a layer: its shape, how it starts, and whether l1 and l2 apply to it (weights: yes; biases, norms: no).

    trainable, rate  whether training changes it, and what multiplies the learning rate for it; both are set by `TrainedLayer`
    """

    shape: Shape
    initializer: Initializer
    fan_in: int = 1
    fan_out: int = 1
    decayed: bool = True
    trainable: bool = True
    rate: float = 1.0
