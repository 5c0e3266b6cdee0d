"""The update of the flat parameter vector in blocks: clipping, penalties, the optimizer's rule."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from nettrain.autodiff.plan.shards import RunTasks
from nettrain.config.run_config import Regularization
from nettrain.nn.vector import ParameterVector
from nettrain.optim import Rule
from nettrain.schedules import RunLength
from nettrain.training.engine.ema import Average
from nettrain.training.engine.penalty import Penalty
from nettrain.training.engine.swa import StochasticAverage
from nettrain.training.engine.threads import run_serially

# Elements. In smaller blocks two threads wait more for the interpreter's lock than the second-level
# cache saves: Adam over 670k parameters takes 0.6 ms in these, 0.9 ms in blocks of 32768; on one
# thread 0.92 and 1.0.
BLOCK = 131072


@dataclass(frozen=True)
class MemberRates:
    """Members with rates of their own: the rule makes its step, and the step is multiplied.

    That is what a factor of the learning rate gives, since a rule's steps are proportional to it.

    Attributes:
        factors: Of the step of each weight.
        before: For the weights before the step.
    """

    factors: np.ndarray
    before: np.ndarray

    def start(self, w: np.ndarray) -> None:
        """Keep the weights."""
        np.copyto(self.before, w)

    def finish(self, w: np.ndarray) -> None:
        """Multiply what has changed."""
        w -= self.before
        w *= self.factors
        w += self.before


@dataclass(frozen=True)
class Block:
    """One part of the trained parameters, all at one rate: views into the vectors.

    Attributes:
        w, g: Weights and gradient.
        work: Working vectors of the rule.
        rate: What multiplies the learning rate.
        members: Their rates; None: they have none of their own.
        decayed: The number of elements at its start that penalties apply to.
        step: (lr, t): the rule's update of this part.
    """

    w: np.ndarray
    g: np.ndarray
    work: list[np.ndarray]
    rate: float
    members: MemberRates | None
    decayed: int
    step: Callable[[float, int], None]


class Update:
    """Clips the gradient of the loss, adds that of the penalties, and applies the rule.

    Args:
        vector: The parameters and their gradient.
        optimizer: The rule.
        regularization: The penalties.
        clip_norm, clip_value: See `clip`; None: no clipping.
        average: Of the weights; None: none is kept.
        groups: Groups of blocks that may run in parallel.
        run_tasks: Runs them, on one thread or several.
        compiled: Whether the rule's compiled form is used, if it has one.
        length: Of the run, for numbers of the rule and penalties that follow a schedule.

    Attributes:
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
        self._lr = 0.0
        self._length, self._decaying = length, optimizer
        self._scheduled = optimizer.at(0, length) is not optimizer
        cuts = list(self._cut())
        self._groups = [self._blocks(cuts[i::groups]) for i in range(min(groups, len(cuts)))]

    def _cut(self) -> Iterator[tuple[slice, float]]:
        """The trained parameters in blocks and their rates; none crosses into another rate."""
        for place, rate in self.vector.rates:
            for start in range(place.start, place.stop, BLOCK):
                yield slice(start, min(start + BLOCK, place.stop)), rate

    def _blocks(self, cuts: list[tuple[slice, float]]) -> list[Block]:
        """The blocks of one group, which share working vectors."""
        longest = max(part.stop - part.start for part, _ in cuts)
        work = [
            np.empty(longest, self.vector.values.dtype) for _ in range(max(1, self.optimizer.work))
        ]
        before = np.empty(longest if self.vector.member_factors is not None else 0, work[0].dtype)
        return [
            self._block(part, rate, [buffer[: part.stop - part.start] for buffer in work], before)
            for part, rate in cuts
        ]

    def _block(self, part: slice, rate: float, work: list[np.ndarray], before: np.ndarray) -> Block:
        w, g = self.vector.values[part], self.vector.gradient[part]
        slots = {
            name: slot if name in self.optimizer.scalars else slot[part]
            for name, slot in self.slots.items()
        }
        decayed = min(max(self.vector.decayed.stop - part.start, 0), len(w))
        step = self.optimizer.compiled_update(w, g, slots) if self._compiled else None
        step = step or self._plain(w, g, slots, work)
        factors = self.vector.member_factors
        if factors is None:
            return Block(w, g, work, rate, None, decayed, step)
        members = MemberRates(factors[part], before[: len(w)])
        return Block(w, g, work, rate, members, decayed, step)

    def _plain(
        self, w: np.ndarray, g: np.ndarray, slots: dict[str, np.ndarray], work: list[np.ndarray]
    ) -> Callable[[float, int], None]:
        rule = self.optimizer

        def step(lr: float, t: int) -> None:
            rule.update(w, g, slots, work, lr=lr, t=t)

        return step

    def penalty(self) -> float:
        """l1 sum |theta| + l2 sum theta^2 over the decayed parameters, as in the last step."""
        self._penalty.seek(max(self.steps - 1, 0))
        return self._penalty.value()

    def __call__(self, lr: float) -> None:
        """One step from `vector.gradient`, which is used up."""
        if self._scheduled:
            self._decaying = self.optimizer.at(self.steps, self._length)
        self._penalty.seek(self.steps)
        self.steps += 1
        self._lr = lr
        if self.clip_value is not None or self.clip_norm is not None:
            self.clip(self.vector.gradient[self.vector.trainable])
        self.optimizer.advance(self.slots, self.steps)
        if len(self._groups) == 1:
            self._update(self._groups[0])
        else:
            self.run_tasks([partial(self._update, blocks) for blocks in self._groups])
        if self.average is not None:
            self.average.update(self.steps)

    def _update(self, blocks: list[Block]) -> None:
        for block in blocks:
            lr, n = self._lr * block.rate, block.decayed
            if block.members is not None:
                block.members.start(block.w)
            if n:
                if self._penalty:
                    self._penalty.add_gradient(block.w[:n], block.g[:n], block.work[0][:n])
                kept = self._decaying.decay(lr)
                if kept != 1:
                    block.w[:n] *= kept
            block.step(lr, self.steps)
            if block.members is not None:
                block.members.finish(block.w)

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
