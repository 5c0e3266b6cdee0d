"""Piecewise-linear embeddings of numbers."""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count, Flag
from nettrain.layers._embedding import FeatureEmbedding
from nettrain.layers._weights import ZEROS
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Scope
from nettrain.nn.parameter import Parameter, Shape
from nettrain.quantiles import quantile_knots


@dataclass(frozen=True, kw_only=True)
class PiecewiseLinearEmbedding(FeatureEmbedding):
    """Piecewise-linear embedding. y_j = x_j u_j + c_j + e(x_j) w_j for each feature j, with
    e_t(x) = clip((x - k_t) / (k_t+1 - k_t), 0, 1) for the bins t between its knots k.

    x (n, d), u and c (d, size), w (d, bins, size) -> y (n, d size): d size (bins + 2) parameters.
    The knots are quantiles of the layer's inputs for the training rows (16,384 of them, if there
    are more), set before the first step and not trained; a value that many rows share counts at
    most once per bin, and a feature with at most `bins` distinct values has a knot at each. Before
    that they lie evenly on [-2, 2]. w starts at 0, so the embedding starts out linear.

    With `members` it gives y (n, k, d size), an embedding for each of k members: u, c and w end
    with k size numbers, the first size of which are the first member's.

    Gorishniy et al. 2022 (On embeddings for numerical features in tabular deep learning), section
    3.2, in the form of Gorishniy et al. 2025 (TabM): version B of the package rtdl_num_embeddings,
    whose README starts with 48 bins, size 12 without `activation`, or 24 with it. There the first
    and the last bin go on outside the training rows; here only x u does.
    """

    size: Annotated[Count, Field(description="numbers that a feature becomes")] = 12
    bins: Annotated[Count, Field(ge=2, le=1024, description="number of bins of a feature")] = 16
    activation: Annotated[Flag, Field(description="whether e w passes a relu")] = False
    members: Annotated[
        Count | None,
        Field(description="members that have an embedding of their own; null: there are none"),
    ] = None

    def learns(self, shape: Shape) -> bool:
        return True

    def embedded(self, shape: Shape) -> int:
        return self.size

    def output_shape(self, shape: Shape) -> Shape:
        joined = super().output_shape(shape)
        return joined if self.members is None else (self.members, *joined)

    @property
    def _width(self) -> int:
        """The numbers of a feature for all members."""
        return self.size * (self.members or 1)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        (d,), bound = shape, 1 / math.sqrt(self.size)
        uniform = Initializer.parse({"type": "uniform", "low": -bound, "high": bound})
        return {
            "u": Parameter((d, self._width), uniform, members_inside=self.members),
            "c": Parameter((d, self._width), uniform, members_inside=self.members, decayed=False),
            "w": Parameter(
                (d, self.bins, self._width),
                ZEROS,
                fan_in=self.bins,
                fan_out=self.size,
                members_inside=self.members,
            ),
        }

    def state(self, shape: Shape) -> dict[str, np.ndarray]:
        """Returns `lower` (d, bins), where each bin begins, and `slope` (d, bins), 1 / its width.

        The bins that a feature has not have slope 0.
        """
        knots = np.linspace(-2, 2, self.bins + 1)
        return self._as_state([knots] * shape[0])

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        if scope.learning:
            scope.learn(self._as_state([self._knots(column) for column in x.value.T]))
        column = x.reshape(-1, x.shape[1], 1)
        encoded = f.clip((column - scope["lower"]) * scope["slope"], 0, 1)
        bent = f.feature_product(encoded, scope["w"])
        y = column * scope["u"] + scope["c"] + (f.relu(bent) if self.activation else bent)
        d = x.shape[1]
        if self.members is None:
            return y.reshape(-1, d * self.size)
        split = y.reshape(-1, d, self.members, self.size).transpose(0, 2, 1, 3)
        return split.reshape(-1, self.members, d * self.size)

    def flops(self, shape: Shape) -> int:
        return 2 * shape[0] * (self.bins + 1) * self._width

    def _knots(self, x: np.ndarray) -> np.ndarray:
        values = np.unique(x.astype(np.float64))
        return values if len(values) <= self.bins else quantile_knots(x, self.bins)

    def _as_state(self, knots: list[np.ndarray]) -> dict[str, np.ndarray]:
        lower, slope = np.zeros((2, len(knots), self.bins))
        for j, one in enumerate(knots):
            lower[j, : len(one) - 1] = one[:-1]
            slope[j, : len(one) - 1] = 1 / np.diff(one)
        return {"lower": lower, "slope": slope}
