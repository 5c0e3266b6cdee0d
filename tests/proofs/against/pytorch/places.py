"""What a translated layer sees: its tensors, its random numbers, and the mode."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch

Tensor = torch.Tensor


@dataclass(frozen=True)
class Mode:
    """How a network is run.

    Attributes:
        training: Training mode, otherwise evaluation mode.
        draw: Returns random numbers for a layer: its path, the shape, `uniform` or `normal`.
        number: Returns a number that may follow a schedule, as it is in this step.
        moments: Where batch normalization leaves the mean and the unbiased variance of a batch, by
            path.
    """

    training: bool
    draw: Callable[[str, tuple[int, ...], str], np.ndarray] | None = None
    number: Callable[[object], float] = float  # type: ignore[assignment]
    moments: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """A layer's place in a network.

    Attributes:
        path: `residual_1.dense_1`.
        tensors: Parameters and state of the whole network, by full name.
        mode: How the network is run.
    """

    path: str
    tensors: Mapping[str, Tensor]
    mode: Mode

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[f"{self.path}.{name}"]

    def get(self, name: str) -> Tensor | None:
        """A tensor of the layer, if it has it."""
        return self.tensors.get(f"{self.path}.{name}")

    def inside(self, name: str) -> "Place":
        """The place of a layer inside this one."""
        return replace(self, path=f"{self.path}.{name}" if self.path else name)

    def random(self, shape: tuple[int, ...], kind: str) -> Tensor:
        """Random numbers of nettrain's stream for this layer."""
        assert self.mode.draw is not None
        return torch.from_numpy(self.mode.draw(self.path, shape, kind))
