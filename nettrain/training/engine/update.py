"""The update of the flat parameter vector in blocks: clipping, penalties, the optimizer's rule."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from nettrain.autodiff.plan.shards import RunTasks
from nettrain.config.run_config import Regularization
from nettrain.nn.vector import ParameterVector
from nettrain.optim import Rule
from nettrain.schedules import RunLength
from nettrain.training.engine.blocks import Block, blocks
from nettrain.training.engine.ema import Average
from nettrain.training.engine.penalty import Penalty
from nettrain.training.engine.swa import StochasticAverage
from nettrain.training.engine.threads import in_turn, run_serially

Complete = Callable[[Block], None]


class Workspace:
    """The working vectors of one task, which the update of every block that it takes may overwrite.

    Args:
        optimizer: The rule.
        longest: Elements of the longest block.
        dtype: Of the parameters.
        keeps: Whether the weights before a step are kept; members with rates of their own need it.
    """

    def __init__(self, optimizer: Rule, longest: int, dtype: np.dtype, *, keeps: bool) -> None:
        self._work = [np.empty(longest, dtype) for _ in range(max(1, optimizer.work))]
        self._before = np.empty(longest if keeps else 0, dtype)
        self._views: dict[int, list[np.ndarray]] = {}

    def work(self, n: int) -> list[np.ndarray]:
        """The rule's vectors, of n elements."""
        views = self._views.get(n)
        if views is None:
            views = self._views[n] = [vector[:n] for vector in self._work]
        return views

    def before(self, n: int) -> np.ndarray:
        """The vector for the weights before the step."""
        return self._before[:n]


@dataclass(frozen=True)
class BlockUpdate:
    """The update of one block, with views into the vectors.

    Attributes:
        block: Which.
        w, g: Its weights and their gradient.
        factors: The factors of the rule's step of each weight, where members have rates of their
            own; None: they have none. A factor of the step is one of the learning rate, since a
            rule's steps are proportional to it.
        decayed: The number of elements at its start that penalties and decay apply to.
        step: Takes (lr, t, workspace) and applies the rule to this block.
    """

    block: Block
    w: np.ndarray
    g: np.ndarray
    factors: np.ndarray | None
    decayed: int
    step: Callable[[float, int, Workspace], None]


class Update:
    """Clips the gradient of the loss, adds that of the penalties, and applies the rule.

    Args:
        vector: The parameters and their gradient.
        optimizer: The rule.
        regularization: The penalties.
        clip_norm, clip_value: See `clip`; None: no clipping.
        average: Of the weights; None: none is kept.
        groups: How many blocks may be updated at the same time, at least 1.
        run_tasks: Runs their updates, on one thread or several.
        compiled: Whether the rule's compiled form is used, if it has one.
        length: Of the run, for numbers of the rule and penalties that follow a schedule.

    Attributes:
        vector, optimizer, clip_norm, clip_value, run_tasks: As given.
        slots: The rule's state by name: vectors as long as the trained parameters, and scalars.
        steps: Steps made so far.
        average: The average of the weights, if one is kept.
    """

    def __init__(
        self,
        vector: ParameterVector,
        optimizer: Rule,
        regularization: Regularization,
        clip_norm: float | None = None,
        *,
        clip_value: float | None = None,
        average: Average | StochasticAverage | None = None,
        groups: int = 1,
        run_tasks: RunTasks = run_serially,
        compiled: bool = False,
        length: RunLength | None = None,
    ) -> None:
        self.vector = vector
        self.optimizer = optimizer
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.average = average
        self.steps = 0
        size = vector.trainable.stop
        self.slots = optimizer.state(size, vector.values.dtype)
        self._penalty = Penalty(vector, regularization, compiled=compiled, length=length)
        self.run_tasks = run_tasks
        self._compiled = compiled
        # the rule with the decay of this step, where that follows a schedule
        self._length, self._decaying = length, optimizer
        self._scheduled = optimizer.at(0, length) is not optimizer
        # the longest first, so that tasks end at about the same time
        cut = sorted(blocks(vector), key=lambda block: block.part.start - block.part.stop)
        self._updates = [self._block_update(block) for block in cut]
        keeps = vector.member_factors is not None
        self._workspaces = [
            Workspace(optimizer, len(self._updates[0].w), vector.values.dtype, keeps=keeps)
            for _ in range(min(groups, len(cut)))
        ]

    def _block_update(self, block: Block) -> BlockUpdate:
        """The update of one block; its rule is compiled where that is asked for and can be."""
        part, factors = block.part, self.vector.member_factors
        w, g = self.vector.values[part], self.vector.gradient[part]
        slots = {
            name: slot if name in self.optimizer.scalars else slot[part]
            for name, slot in self.slots.items()
        }
        decayed = min(max(self.vector.decayed.stop - part.start, 0), len(w))
        compiled = self.optimizer.compiled_update(w, g, slots) if self._compiled else None
        step = compiled or self._plain(w, g, slots)
        return BlockUpdate(block, w, g, None if factors is None else factors[part], decayed, step)

    def _plain(
        self, w: np.ndarray, g: np.ndarray, slots: dict[str, np.ndarray]
    ) -> Callable[[float, int, Workspace], None]:
        """The rule's update of a block by NumPy."""
        rule = self.optimizer

        def step(lr: float, t: int, workspace: Workspace) -> None:
            rule.update(w, g, slots, workspace.work(len(w)), lr=lr, t=t)

        return step

    def penalty(self) -> float:
        """l1 sum |theta| + l2 sum theta^2 over the decayed parameters, as in the last step."""
        self._penalty.seek(max(self.steps - 1, 0))
        return self._penalty.value()

    @property
    def by_blocks(self) -> bool:
        """Whether a block can be updated before the gradient of another is known."""
        return self.clip_norm is None and self.clip_value is None

    def __call__(self, lr: float, complete: Complete | None = None) -> None:
        """One step from `vector.gradient`, which is used up.

        Args:
            lr: The learning rate.
            complete: Called with each block before it is updated, to complete its gradient; None:
                the gradient is complete. Only where `by_blocks`.
        """
        if self._scheduled:
            self._decaying = self.optimizer.at(self.steps, self._length)
        self._penalty.seek(self.steps)
        self.steps += 1
        if self.clip_value is not None or self.clip_norm is not None:
            self.clip(self.vector.gradient[self.vector.trainable])
        self.optimizer.advance(self.slots, self.steps)
        apply = partial(self._apply, lr=lr, complete=complete)
        if len(self._workspaces) == 1:
            for update in self._updates:
                apply(update, self._workspaces[0])
        else:
            self.run_tasks(in_turn(apply, self._updates, self._workspaces))
        if self.average is not None:
            self.average.update(self.steps)

    def _apply(
        self, update: BlockUpdate, workspace: Workspace, *, lr: float, complete: Complete | None
    ) -> None:
        """Complete the gradient of one block, add that of the penalties, decay, apply the rule."""
        if complete is not None:
            complete(update.block)
        w, factors, decayed = update.w, update.factors, update.decayed
        lr *= update.block.rate
        if factors is not None:
            before = workspace.before(len(w))
            np.copyto(before, w)
        if decayed:
            if self._penalty:
                work = workspace.work(decayed)[0]
                self._penalty.add_gradient(w[:decayed], update.g[:decayed], work)
            kept = self._decaying.decay(lr)
            if kept != 1:
                w[:decayed] *= kept
        update.step(lr, self.steps, workspace)
        if factors is not None:
            w -= before
            w *= factors
            w += before

    def clip(self, g: np.ndarray) -> None:
        """Set elements beyond clip_value to it, then scale g down to clip_norm if it is longer.

        Pascanu et al. 2013, Algorithm 1, for the norm. As in PyTorch, before any penalty.
        """
        if self.clip_value is not None:
            np.clip(g, -self.clip_value, self.clip_value, out=g)
        if self.clip_norm is not None:
            norm = math.sqrt(float(np.dot(g, g)))
            if norm > self.clip_norm:
                g *= self.clip_norm / norm
