"""One trained array of a layer."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

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
        members: arrays of several members along the first axis, each drawn by itself; None: it is
            one array.
        repeats: along each axis, the neighbours that start with the same value; None: none do.
    """

    shape: Shape
    initializer: Initializer
    fan_in: int = 1
    fan_out: int = 1
    decayed: bool = True
    trainable: bool = True
    rate: float = 1.0
    group: Group = "weight"
    members: int | None = None
    repeats: Shape | None = None

    def sample(self, generator: np.random.Generator) -> np.ndarray:
        """Returns initial values, in float64."""
        repeats = self.repeats or (1,) * len(self.shape)
        shape = tuple(size // n for size, n in zip(self.shape, repeats, strict=True))
        fans = self.fan_in, self.fan_out
        if self.members is None:
            drawn = self.initializer.sample(shape, *fans, generator)
        else:
            drawn = np.stack(
                [self.initializer.sample(shape[1:], *fans, generator) for _ in range(self.members)]
            )
        for axis, n in enumerate(repeats):
            drawn = np.repeat(drawn, n, axis=axis) if n > 1 else drawn
        return drawn


def per_unit(
    shape: Shape,
    initializer: Initializer,
    group: Group,
    *,
    decayed: bool = True,
    shared: bool = False,
) -> Parameter:
    """Returns a parameter with a number for each unit of rows of this shape.

    That is one per channel, the last axis (c,); rows of several members (k, c) have (k, c).

    Args:
        shape: of one row.
        initializer: draws the initial values.
        group, decayed: see `Parameter`.
        shared: whether all units share one number; members still have one each.
    """
    members = shape[0] if len(shape) == 2 else None
    units = (1,) if shared else shape[-1:]
    whole = units if members is None else (members, *units)
    return Parameter(whole, initializer, decayed=decayed, group=group, members=members)
