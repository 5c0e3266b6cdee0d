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
        member_rates: a further factor for each member; None: there is none.
        group: what it does in its layer: `training.learning_rates` may give each group a factor of
            its own. bias: is added; scale: multiplies channels; activation: belongs to an
            activation; embedding: of a layer that embeds features.
        members: arrays of several members along the first axis, each drawn by itself; None: it is
            one array.
        members_inside: members whose numbers lie one after the other along the last axis, drawn as
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
    member_rates: tuple[float, ...] | None = None
    group: Group = "weight"
    members: int | None = None
    members_inside: int | None = None
    repeats: Shape | None = None

    @property
    def member_count(self) -> int | None:
        """How many members have numbers of their own in it; None: it is one array."""
        return self.members or self.members_inside

    def member_factors(self) -> np.ndarray | None:
        """Returns `member_rates` as an array that broadcasts against the values."""
        if self.member_rates is None:
            return None
        factors = np.array(self.member_rates)
        if self.members is not None:
            return factors.reshape(-1, *[1] * (len(self.shape) - 1))
        return np.repeat(factors, self.shape[-1] // len(factors))

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
