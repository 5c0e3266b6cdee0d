"""Periodic embeddings of numbers."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count, Positive
from nettrain.layers._embedding import FeatureEmbedding
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Scope
from nettrain.nn.parameter import Parameter, Shape

# size, frequencies and deviation by variant
_DEFAULTS = {"pbld": (4, 16, 0.1), "plr": (24, 48, 0.01), "plr_lite": (24, 48, 0.01)}


@dataclass(frozen=True, kw_only=True)
class PeriodicEmbedding(FeatureEmbedding):
    """Periodic embedding. pbld: y_j = [x_j, cos(2 pi q_j x_j + r_j) w_j + b_j] for each feature j;
    plr: y_j = relu([cos(2 pi q_j x_j), sin(2 pi q_j x_j)] w_j + b_j); plr_lite: with one w and b.

    x (n, d), frequencies q (d, k) -> y (n, d size). pbld has phases r (d, k), w (d, k, size - 1), b
    (d, size - 1); plr w (d, 2k, size), b (d, size); plr_lite w (2k, size), b (size,).

    At the start q ~ N(0, deviation^2), r ~ U(-pi, pi), and w, b ~ U(-1/sqrt(i), 1/sqrt(i)) with
    the i numbers that enter w. The deviation matters most: it says how fast outputs may change.

    plr: Gorishniy et al. 2022 (On embeddings for numerical features in tabular deep learning),
    section 3.3; plr_lite: Gorishniy et al. 2024 (TabR); defaults of rtdl_num_embeddings, which
    draws q again beyond 3 deviations. pbld: Holzmüller et al. 2024 (RealMLP), with `learning_rate:
    0.1`; their x comes behind all features.
    """

    variant: Annotated[
        Literal["pbld", "plr", "plr_lite"], Field(description="form of the embedding")
    ] = "pbld"
    size: Annotated[
        Count | None,
        Field(
            ge=2,
            description="numbers that a feature becomes; null: 4 for pbld (with x itself), else 24",
        ),
    ] = None
    frequencies: Annotated[
        Count | None, Field(description="frequencies of a feature; null: 16 for pbld, else 48")
    ] = None
    deviation: Annotated[
        Positive | None,
        Field(description="standard deviation of the frequencies; null: 0.1 for pbld, else 0.01"),
    ] = None

    def embedded(self, shape: Shape) -> int:
        return self.size or _DEFAULTS[self.variant][0]

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        (d,), k = shape, self._frequencies
        i, o = (k, self.embedded(shape) - 1) if self._pbld else (2 * k, self.embedded(shape))
        each = () if self.variant == "plr_lite" else (d,)
        weights = _uniform(1 / math.sqrt(i))
        deviation = self.deviation or _DEFAULTS[self.variant][2]
        found = {
            "q": Parameter(
                (d, k), Initializer.parse({"type": "normal", "deviation": float(deviation)})
            ),
            "w": Parameter((*each, i, o), weights, fan_in=i, fan_out=o),
            "b": Parameter((*each, o), weights, decayed=False),
        }
        if self._pbld:
            found["r"] = Parameter((d, k), _uniform(math.pi), decayed=False)
        return found

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        column = x.reshape(-1, x.shape[1], 1)
        angle = column * scope["q"] * (2 * math.pi)
        if self._pbld:
            periodic = f.cos(angle + scope["r"])
            y = f.feature_product(periodic, scope["w"]) + scope["b"]
            y = f.concatenate([column, y], axis=-1)
        else:
            periodic = f.concatenate([f.cos(angle), f.sin(angle)], axis=-1)
            y = f.relu(f.feature_product(periodic, scope["w"]) + scope["b"])
        return y.reshape(-1, math.prod(y.shape[1:]))

    def flops(self, shape: Shape) -> int:
        terms = self._frequencies * (1 if self._pbld else 2)
        return 2 * shape[0] * terms * (self.embedded(shape) - self._pbld)

    @property
    def _pbld(self) -> bool:
        return self.variant == "pbld"

    @property
    def _frequencies(self) -> int:
        return self.frequencies or _DEFAULTS[self.variant][1]


def _uniform(bound: float) -> Initializer:
    return Initializer.parse({"type": "uniform", "low": -bound, "high": bound})
