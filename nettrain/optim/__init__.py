"""The base of all optimizers, and their catalogue, one a file: an update rule over slices of the flat parameter vector."""
from abc import abstractmethod
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from nettrain.component import Component, Positive

Rate = Annotated[Positive, Field(description="learning rate, before the schedule")]


class Optimizer(Component):
    """An element-wise update rule; the engine owns the state and hands in slices, so any block of parameters can be updated alone.

    slots  names of the state vectors, each as long as the parameters, zero at the start
    work   how many working vectors of the same length `update` may overwrite
    """

    kind = "optimizer"
    package = "nettrain.optim"
    slots: ClassVar[tuple[str, ...]] = ()
    work: ClassVar[int] = 1
    lr: Rate

    @abstractmethod
    def update(self, w: np.ndarray, g: np.ndarray, slots: dict[str, np.ndarray], work: list[np.ndarray], *, lr: float, t: int) -> None:
        """Change w and slots in place. g: gradient (may be overwritten); lr: the scheduled rate; t: 1 at the first step."""
