"""Random search: steps that are tried, and kept where they help."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count
from nettrain.optim import ClosureOptimizer, Evaluate, Rate


@dataclass(frozen=True, kw_only=True)
class RandomSearch(ClosureOptimizer):
    """w' = w + lr N(0, 1), `candidates` times;  w = the best of them, if it is better than w.

    No gradient at all, for small networks: Rastrigin 1963, with a normal step. Full batch: one step an epoch.
    """

    lr: Annotated[
        Rate, Field(description="standard deviation of a tried step, before the schedule")
    ] = 0.1
    candidates: Annotated[Count, Field(description="steps tried in each epoch")] = 20

    def state(self, size: int, dtype: np.dtype | type) -> dict[str, np.ndarray]:
        """None: the weights are all there is."""
        return {}

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
        start, least = w.copy(), evaluate(w)
        for _ in range(self.candidates):
            tried = start + (lr * generator.standard_normal(len(w))).astype(w.dtype)
            value = evaluate(tried)
            if value < least:
                w[...], least = tried, value
