"""Optimizers, one per file, and their bases.

A `Rule` updates each parameter from its gradient alone; a `ClosureOptimizer` evaluates the loss at
points of its own choosing.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Protocol, Self

import numpy as np
from pydantic import Field

from nettrain.component import Component, Positive
from nettrain.jit import Loop
from nettrain.pages import long_zeros
from nettrain.schedules import RunLength, Scheduled, number_at

Array = np.ndarray
State = dict[str, Array]
Rate = Annotated[Positive, Field(description="learning rate, before the schedule")]


class Optimizer(Component):
    """Updates the parameters: either a `Rule` or a `ClosureOptimizer`."""

    kind = "optimizer"
    package = "nettrain.optim"
    lr: Rate

    @abstractmethod
    def state(self, size: int, dtype: np.dtype | type) -> State:
        """The arrays that it keeps between steps, as they are before the first step.

        Checkpoints hold them.

        Args:
            size: Number of trained parameters.
            dtype: Of the parameters.
        """


class Rule(Optimizer):
    """An element-wise update rule.

    The engine owns the state and hands in slices, so any block of parameters can be updated alone.

    Attributes:
        slots: Names of the state vectors, each as long as the parameters, zero at the start.
        scalars: Further state, one number each, and its value at the start; `advance` changes it
            once per step, before the blocks are updated.
        work: Number of working vectors of a block's length that `update` may overwrite.
    """

    slots: ClassVar[tuple[str, ...]] = ()
    scalars: ClassVar[Mapping[str, float]] = {}
    work: ClassVar[int] = 1

    def state(self, size: int, dtype: np.dtype | type) -> State:
        """The slots, and the scalars as float64 arrays of one element."""
        return {name: long_zeros(size, dtype) for name in self.slots} | {
            name: np.array([start]) for name, start in self.scalars.items()
        }

    def advance(self, state: State, t: int) -> None:
        """Change the scalars in place; t counts the steps from 1."""

    def decay(self, lr: float) -> float:
        """The factor of the decayed weights before `update`; biases and normalization have none."""
        return 1.0

    def at(self, step: int, length: RunLength | None) -> Self:
        """The rule with plain numbers for those that follow a schedule, in a step of a run."""
        changed = {
            name: number_at(value, step, length)
            for name, value in vars(self).items()
            if isinstance(value, Scheduled)
        }
        return self.replace(**changed) if changed else self

    def __init_subclass__(cls, **options: object) -> None:
        """Drop the inherited loop where a subclass overrides `update` alone."""
        super().__init_subclass__(**options)
        if "update" in vars(cls) and "loop" not in vars(cls):
            cls.loop = Rule.loop  # type: ignore[method-assign]

    @abstractmethod
    def update(
        self, w: Array, g: Array, slots: State, work: list[Array], *, lr: float, t: int
    ) -> None:
        """Make one step of one block of parameters: change w and the slots in place.

        Args:
            w: The parameters (n,).
            g: Their gradient (n,); may be overwritten.
            slots: The block's part (n,) of each state vector, and each scalar as an array (1,).
            work: As many working vectors (n,) as the class says.
            lr: The scheduled learning rate.
            t: 1 at the first step.
        """

    def loop(self) -> Loop | None:
        """The compiled loop of `update`, bitwise identical to it.

        It is called with w, g, the slots in their order and `loop_numbers`. None: there is none,
        and `update` runs with compiled kernels too.
        """
        return None

    def loop_numbers(self, slots: State, *, lr: float, t: int) -> tuple[float, ...]:
        """The numbers that the loop takes after the vectors, computed once per step and block."""
        return ()

    def compiled_update(
        self, w: Array, g: Array, slots: State
    ) -> Callable[[float, int, object], None] | None:
        """The update of this block by the compiled loop, to be called with lr and t.

        What `update` works in comes third; a loop needs none. None where the rule has no loop.
        """
        loop = self.loop()
        if loop is None:
            return None
        vectors = (w, g, *(slots[name] for name in self.slots))
        scalars = {name: slots[name].copy() for name in self.scalars}
        self.advance(scalars, 1)  # before the first step nadam's numbers would divide by zero
        entry = loop.entry(*vectors, *self.loop_numbers(scalars, lr=self.lr, t=1))

        def update(lr: float, t: int, workspace: object) -> None:
            entry(*vectors, *self.loop_numbers(slots, lr=lr, t=t))

        return update


class Evaluate(Protocol):
    """The objective over the whole training part: the mean loss plus the penalties."""

    def __call__(self, params: Array, gradient: Array | None = None) -> float:
        """Return the objective.

        Args:
            params: Where; float64 or the parameters' dtype.
            gradient: Receives the gradient there, if given.
        """


class ClosureOptimizer(Optimizer):
    """An optimizer that evaluates the objective at points of its own choosing.

    It updates the whole parameter vector at once, from the whole training part, so it needs
    `training.batch_size: null`. Layers may be frozen, but not have rates of their own.
    """

    required_settings: ClassVar[Mapping[str, object]] = {"training": {"batch_size": None}}

    @abstractmethod
    def minimise(
        self,
        w: Array,
        state: State,
        evaluate: Evaluate,
        *,
        lr: float,
        t: int,
        generator: np.random.Generator,
    ) -> None:
        """Make one step: change w and the state in place.

        Args:
            w: All trained parameters.
            state: The arrays of `state`.
            evaluate: The objective, and its gradient if asked for.
            lr: The scheduled learning rate.
            t: 1 at the first step.
            generator: The random stream of this step.
        """
