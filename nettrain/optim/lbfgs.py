"""L-BFGS."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Count
from nettrain.optim import Array, ClosureOptimizer, Evaluate, Rate, State
from nettrain.optim._wolfe import Point, strong_wolfe

LEAST_CURVATURE = 1e-10  # y.s: pairs with less would spoil the approximation
LEAST_CHANGE = 1e-9  # of a parameter, or of the objective along the direction


@dataclass(frozen=True, kw_only=True)
class Lbfgs(ClosureOptimizer):
    """L-BFGS. w += t d,  d = -H grad f(w).

    H approximates the inverse Hessian from the last m pairs (s: change of w, y: change of the
    gradient): Nocedal & Wright 2006, Algorithm 7.4 (two loops). A line search finds a t that meets
    the strong Wolfe conditions; it begins at lr, in the first step at lr / |grad f|_1 if that is
    smaller. Full batch: one step per epoch, each of one or a few evaluations.

    PyTorch's LBFGS(history_size=m, max_iter=1, max_eval=26, line_search_fn="strong_wolfe") makes
    the same steps. Its default max_eval, 1 where max_iter is 1, ends the line search at the first
    trial. scikit-learn's and SciPy's lbfgs stop by themselves; here early_stopping does.
    """

    lr: Rate = 1.0
    history: Annotated[Count, Field(description="number of pairs (s, y) that are kept: m")] = 10

    def state(self, size: int, dtype: np.dtype | type) -> State:
        """The pairs s and y, oldest first, and their number; the last step and its gradient."""
        pairs = {name: np.zeros((self.history, size), dtype) for name in ("s", "y")}
        return (
            pairs
            | {name: np.zeros(size, dtype) for name in ("step", "gradient")}
            | {"pairs": np.zeros(1)}
        )

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
        g = np.empty_like(w)
        value = evaluate(w, g)
        self.remember(state, g)
        d = self.direction(state, g)
        state["gradient"][...] = g
        state["step"][...] = 0
        slope = float(g @ d)
        if slope > -LEAST_CHANGE:
            return  # the gradient is zero but for rounding
        first = lr * min(1.0, 1 / float(np.abs(g).sum())) if t == 1 else lr
        if first == 0:
            return  # the schedule's rate is zero, or the gradient infinite

        def along(t: float) -> Point:
            value = evaluate(w + t * d, g)
            return Point(t, value, float(g @ d))

        narrowest = LEAST_CHANGE / float(np.abs(d).max())
        end = strong_wolfe(along, Point(0.0, value, slope), first, narrowest=narrowest)
        np.multiply(d, end.t, out=state["step"])
        w += state["step"]

    def remember(self, state: State, g: Array) -> None:
        """Keep the pair of the last step if its curvature is positive; drop the oldest pair."""
        y = g - state["gradient"]
        if not float(y @ state["step"]) > LEAST_CURVATURE:  # or NaN
            return
        kept = int(state["pairs"][0])
        if kept == self.history:
            for pairs in (state["s"], state["y"]):
                pairs[:-1] = pairs[1:]
            kept -= 1
        state["s"][kept], state["y"][kept] = state["step"], y
        state["pairs"][0] = kept + 1

    def direction(self, state: State, g: Array) -> Array:
        """-H g, by the two-loop recursion; without pairs H is the identity."""
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
