"""L-BFGS: steps by the curvature that the last steps have shown."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count
from nettrain.optim import ClosureOptimizer, Evaluate, Rate
from nettrain.optim._wolfe import Point, strong_wolfe

LEAST_CURVATURE = 1e-10  # a pair of steps with less y.s would spoil the estimate
LEAST_CHANGE = 1e-9  # of a parameter, or of the objective along the direction


@dataclass(frozen=True, kw_only=True)
class Lbfgs(ClosureOptimizer):
    """w += t d,  d = -H grad f(w),  H: the inverse Hessian as the last m pairs (s = change of w, y = change of the gradient) show it.

    Nocedal & Wright 2006, Algorithm 7.4 (two loops); t meets the strong Wolfe conditions, tried first at lr (in the first step at
    lr / |grad f|_1, at most lr). Full batch: one step an epoch, each of one or a few evaluations. As PyTorch's LBFGS(max_iter=1,
    line_search_fn="strong_wolfe", history_size=m); scikit-learn's and SciPy's lbfgs stop by themselves, here early_stopping does.
    """

    lr: Rate = 1.0
    history: Annotated[Count, Field(description="pairs of steps that are kept (m)")] = 10

    def state(self, size: int, dtype: np.dtype | type) -> dict[str, np.ndarray]:
        """s and y of the last pairs, oldest first; the last step; the gradient before it; how many pairs there are."""
        pairs = {name: np.zeros((self.history, size), dtype) for name in ("s", "y")}
        return (
            pairs
            | {name: np.zeros(size, dtype) for name in ("step", "gradient")}
            | {"pairs": np.zeros(1)}
        )

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
        g = np.empty_like(w)
        value = evaluate(w, g)
        if t > 1:
            self.remember(state, g)
        d = self.direction(state, g)
        state["gradient"][...] = g
        state["step"][...] = 0
        slope = float(g @ d)
        if slope > -LEAST_CHANGE:
            return  # the gradient is zero, as far as numbers of this size tell

        def along(t: float) -> Point:
            value = evaluate(w + t * d, g)
            return Point(t, value, float(g @ d))

        first = lr * min(1.0, 1 / float(np.abs(g).sum())) if t == 1 else lr
        found = strong_wolfe(
            along, Point(0.0, value, slope), first, narrowest=LEAST_CHANGE / float(np.abs(d).max())
        )
        np.multiply(d, found.t, out=state["step"])
        w += state["step"]

    def remember(self, state: dict[str, np.ndarray], g: np.ndarray) -> None:
        """Keep the pair of the last step, if the objective curves upwards along it; the oldest pair goes."""
        y = g - state["gradient"]
        if float(y @ state["step"]) <= LEAST_CURVATURE:
            return
        kept = int(state["pairs"][0])
        if kept == self.history:
            for pairs in (state["s"], state["y"]):
                pairs[:-1] = pairs[1:]
            kept -= 1
        state["s"][kept], state["y"][kept] = state["step"], y
        state["pairs"][0] = kept + 1

    def direction(self, state: dict[str, np.ndarray], g: np.ndarray) -> np.ndarray:
        """-H g, by the two loops; H of no pairs is the identity."""
        pairs = [(state["s"][i], state["y"][i]) for i in range(int(state["pairs"][0]))]
        d = -g
        weights = []
        for s, y in reversed(pairs):
            weights.append(float(s @ d) / float(y @ s))
            d -= weights[-1] * y
        if pairs:
            s, y = pairs[-1]
            d *= float(y @ s) / float(y @ y)
        for (s, y), weight in zip(pairs, reversed(weights), strict=True):
            d += s * (weight - float(y @ d) / float(y @ s))
        return d
