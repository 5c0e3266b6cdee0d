"""Random search."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count
from nettrain.optim import Array, ClosureOptimizer, Evaluate, Rate, State


@dataclass(frozen=True, kw_only=True)
class RandomSearch(ClosureOptimizer):
    """Random search. w' = w + lr N(0, 1), `candidates` times;  w = the best w', if better than w.

    It needs no gradient and suits small networks. Full batch: one step per epoch. Rastrigin 1963,
    with a normally distributed step.
    """

    lr: Annotated[
        Rate, Field(description="standard deviation of a candidate step, before the schedule")
    ] = 0.1
    candidates: Annotated[Count, Field(description="candidate steps per epoch")] = 20

    def state(self, size: int, dtype: np.dtype | type) -> State:
        """Nothing but the weights."""
        return {}

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
        start, least = w.copy(), evaluate(w)
        for _ in range(self.candidates):
            tried = start + (lr * generator.standard_normal(len(w))).astype(w.dtype)
            value = evaluate(tried)
            if value < least:
                w[...], least = tried, value
