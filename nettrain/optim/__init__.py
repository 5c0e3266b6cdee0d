"""The bases of all optimizers, and their catalogue, one a file: element-wise update rules, and searches that ask for the loss."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Protocol

import numpy as np
from pydantic import Field

from nettrain.component import Component, Positive
from nettrain.jit import Loop

Rate = Annotated[Positive, Field(description="learning rate, before the schedule")]


class Optimizer(Component):
    """What changes the parameters; either a `Rule` or a `ClosureOptimizer`."""

    kind = "optimizer"
    package = "nettrain.optim"
    lr: Rate

    @abstractmethod
    def state(self, size: int, dtype: np.dtype | type) -> dict[str, np.ndarray]:
        """What it remembers between steps for so many parameters, as it is before the first step. Checkpoints hold these arrays."""


class Rule(Optimizer):
    """An element-wise update rule; the engine owns the state and hands in slices, so any block of parameters can be updated alone.

    slots    names of the state vectors, each as long as the parameters, zero at the start
    scalars  further state, one number each, and its start; `advance` moves it once a step, before the blocks
    work     how many working vectors of a block's length `update` may overwrite
    """

    slots: ClassVar[tuple[str, ...]] = ()
    scalars: ClassVar[Mapping[str, float]] = {}
    work: ClassVar[int] = 1

    def state(self, size: int, dtype: np.dtype | type) -> dict[str, np.ndarray]:
        """The slots, and the scalars as float64 arrays of one element."""
        return {name: np.zeros(size, dtype) for name in self.slots} | {
            name: np.array([start]) for name, start in self.scalars.items()
        }

    def advance(self, state: dict[str, np.ndarray], t: int) -> None:
        """Change the scalars in place. t: 1 at the first step."""

    def decay(self, lr: float) -> float:
        """What the engine multiplies the decayed weights (not biases, not normalisation) with before `update`."""
        return 1.0

    def __init_subclass__(cls, **options: object) -> None:
        """A rule that changes `update` does not inherit the loop of the update that it replaces."""
        super().__init_subclass__(**options)
        if "update" in vars(cls) and "loop" not in vars(cls):
            cls.loop = Rule.loop  # type: ignore[method-assign]

    @abstractmethod
    def update(
        self,
        w: np.ndarray,
        g: np.ndarray,
        slots: dict[str, np.ndarray],
        work: list[np.ndarray],
        *,
        lr: float,
        t: int,
    ) -> None:
        """Change w and slots in place. g: gradient (may be overwritten); lr: the scheduled rate; t: 1 at the first step.

        w, g, the slots and the working vectors are the same block of theirs; a scalar is an array of one element.
        """

    def loop(self) -> Loop | None:
        """The compiled loop of `update`, called with w, g, the slots in their order and `loop_numbers`.

        Bitwise identical to `update`. None: there is none, and `update` runs with compiled kernels too.
        """
        return None

    def loop_numbers(self, slots: dict[str, np.ndarray], *, lr: float, t: int) -> tuple[float, ...]:
        """What the loop takes beside the vectors, worked out once per step."""
        return ()

    def compiled_update(
        self, w: np.ndarray, g: np.ndarray, slots: dict[str, np.ndarray]
    ) -> Callable[[float, int], None] | None:
        """The update of this block by the compiled loop, called with lr and t; None without a loop."""
        loop = self.loop()
        if loop is None:
            return None
        vectors = (w, g, *(slots[name] for name in self.slots))
        first = {name: slots[name].copy() for name in self.scalars}
        self.advance(first, 1)  # the loop is compiled for the numbers of a step that can be
        entry = loop.entry(*vectors, *self.loop_numbers(first, lr=self.lr, t=1))

        def update(lr: float, t: int) -> None:
            entry(*vectors, *self.loop_numbers(slots, lr=lr, t=t))

        return update


class Evaluate(Protocol):
    """The objective over the whole training part: the mean loss plus the penalties."""

    def __call__(self, params: np.ndarray, gradient: np.ndarray | None = None) -> float:
        """The objective at params (float64 or the parameters' dtype); its gradient is written where an array is given."""


class ClosureOptimizer(Optimizer):
    """A rule that needs the loss at points of its own choosing, for the whole vector at once, over the whole training part.

    It trains with `training.batch_size: null`. Layers may be frozen, but not have rates of their own.
    """

    required_settings: ClassVar[Mapping[str, object]] = {"training": {"batch_size": None}}

    @abstractmethod
    def minimise(
        self,
        w: np.ndarray,
        state: dict[str, np.ndarray],
        evaluate: Evaluate,
        *,
        lr: float,
        t: int,
        generator: np.random.Generator,
    ) -> None:
        """One step: change w and state in place. lr: the scheduled rate; t: 1 at the first step; generator: this step's own stream."""
