"""The update of the flat parameter vector: clipping, penalties, and the optimizer's rule, in blocks."""
import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from nettrain.autodiff.shards import Together
from nettrain.config.run_config import Regularization
from nettrain.nn.vector import ParameterVector
from nettrain.optim import Rule
from nettrain.training.average import Average
from nettrain.training.penalty import Penalty
from nettrain.training.workers import one_after_the_other

# Elements. In smaller blocks two threads wait more for the interpreter's lock than the second-level cache saves: Adam over 670k
# parameters takes 0.6 ms in these, 0.9 ms in blocks of 32768; on one thread 0.92 and 1.0.
BLOCK = 131072


@dataclass(frozen=True)
class Block:
    """One part of the trained parameters, all at one rate: views into the vectors. decayed: how many at its start are."""

    w: np.ndarray
    g: np.ndarray
    slots: dict[str, np.ndarray]
    work: list[np.ndarray]
    rate: float
    decayed: int


class Update:
    """One step after another: the loss's gradient, clipped, plus that of the penalties, handed to the rule.

    slots     the rule's state by name: vectors as long as the trained parameters, and its scalars
    steps     how many have been made
    average   the moving average of the weights, where one is kept
    together  runs the groups of blocks, on one thread or several; no bit depends on it
    """

    def __init__(
        self,
        vector: ParameterVector,
        optimizer: Rule,
        regularization: Regularization,
        clip_norm: float | None = None,
        *,
        clip_value: float | None = None,
        ema: float | None = None,
        groups: int = 1,
        together: Together = one_after_the_other,
    ) -> None:
        self.vector = vector
        self.optimizer = optimizer
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.average = None if ema is None else Average(ema, vector)
        self.steps = 0
        size = vector.trainable.stop
        self.slots = optimizer.state(size, vector.values.dtype)
        self._penalty = Penalty(vector, regularization)
        self.together = together
        blocks = list(self._cut())
        self._groups = [group for group in (self._with_work(blocks[i::groups]) for i in range(groups)) if group]

    def _cut(self) -> Iterator[Block]:
        """The trained parameters in blocks, none of which crosses into another rate."""
        w, g = self.vector.values, self.vector.gradient
        for place, rate in self.vector.rates:
            for start in range(place.start, place.stop, BLOCK):
                part = slice(start, min(start + BLOCK, place.stop))
                slots = {name: slot if name in self.optimizer.scalars else slot[part] for name, slot in self.slots.items()}
                decayed = min(max(self.vector.decayed.stop - start, 0), part.stop - start)
                yield Block(w[part], g[part], slots, [], rate, decayed)

    def _with_work(self, blocks: list[Block]) -> list[Block]:
        """The blocks of one group, which share working vectors."""
        longest = max((len(block.w) for block in blocks), default=0)
        work = [np.empty(longest, self.vector.values.dtype) for _ in range(max(1, self.optimizer.work))]
        return [dataclasses.replace(block, work=[buffer[: len(block.w)] for buffer in work]) for block in blocks]

    def penalty(self) -> float:
        """l1 sum |theta| + l2 sum theta^2 over the decayed parameters."""
        return self._penalty.value()

    def __call__(self, lr: float) -> None:
        """One step from `vector.gradient`, which is used up."""
        self.steps += 1
        self._clip(self.vector.gradient[self.vector.trainable])
        self.optimizer.advance(self.slots, self.steps)
        self.together([partial(self._update, group, lr) for group in self._groups])
        if self.average is not None:
            self.average.update(self.steps)

    def _update(self, blocks: list[Block], lr: float) -> None:
        for block in blocks:
            n = block.decayed
            if n:
                self._penalty.add_gradient(block.w[:n], block.g[:n], block.work[0][:n])
                kept = self.optimizer.decay(lr * block.rate)
                if kept != 1:
                    block.w[:n] *= kept
            self.optimizer.update(block.w, block.g, block.slots, block.work, lr=lr * block.rate, t=self.steps)

    def _clip(self, g: np.ndarray) -> None:
        """Elements beyond clip_value are set to it; then g is shortened to clip_norm if it is longer.

        Pascanu et al. 2013, Algorithm 1, for the norm. Like PyTorch before any penalty.
        """
        if self.clip_value is not None:
            np.clip(g, -self.clip_value, self.clip_value, out=g)
        if self.clip_norm is not None:
            norm = math.sqrt(float(np.dot(g, g)))
            if norm > self.clip_norm:
                g *= self.clip_norm / norm
