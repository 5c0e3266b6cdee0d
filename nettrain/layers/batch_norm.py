"""Batch normalization."""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff import tensor
from nettrain.autodiff.ops.moments import Moments
from nettrain.autodiff.ops.normalization import Normalize
from nettrain.autodiff.tensor import Tensor
from nettrain.layers._normalization import EpsilonField, Normalization
from nettrain.nn.layer import Scope
from nettrain.nn.parameter import Shape


@dataclass(frozen=True, kw_only=True)
class BatchNorm(Normalization):
    """Batch normalization. y = gamma (x - m) / sqrt(v + epsilon) + beta, m and v over the batch.

    x (n, ..., c) -> y (n, ..., c): a mean and a variance per channel c, over all other axes; for
    rows of k members (n, k, c) per member and channel, over the rows.
    Evaluation uses running values, which start at 0 and 1; each step moves them by `momentum`
    towards the batch's mean and its unbiased variance, n / (n - 1) v (a batch of one row has no
    variance and moves nothing). With `trainable: false` training uses the running values too, and
    they stay. Ioffe & Szegedy 2015, Algorithms 1 and 2. PyTorch: the same. Keras: momentum is the
    decay rate of the old value, epsilon is 1e-3, and the running variance is biased.
    """

    momentum: Annotated[
        float,
        Field(
            strict=True,
            gt=0,
            le=1,
            description="weight of the batch in the running mean and variance",
        ),
    ] = 0.1
    epsilon: EpsilonField = 1e-5

    def state(self, shape: Shape) -> dict[str, np.ndarray]:
        channels = _channels(shape)
        return {"mean": np.zeros(channels), "variance": np.ones(channels)}

    def min_batch_size(self, shape: Shape) -> int:
        return 2 if self.trainable and math.prod(shape) == math.prod(_channels(shape)) else 1

    def normalize(
        self, x: Tensor, gamma: Tensor, beta: Tensor, scope: Scope, *, members: int = 1
    ) -> Tensor:
        if scope.training and self.trainable:
            moments = tensor.apply(Moments(), x)
            self._propose(
                moments, x.value.size // x.shape[-1] // len(x) * (scope.rows or len(x)), scope
            )
        else:
            moments = f.stack([_shaped(scope[name], gamma.shape) for name in ("mean", "variance")])
        return tensor.apply(Normalize(self.epsilon), x, moments, gamma, beta)

    def _propose(self, moments: Tensor, n: int, scope: Scope) -> None:
        """Proposes running values moved towards those of n rows."""
        if n == 1 or scope.proposals is None:
            return
        mean, variance = scope["mean"], scope["variance"]
        m, v = (_shaped(moments[i], mean.shape) for i in range(2))
        scope.propose("mean", mean + (m - mean) * self.momentum)
        scope.propose("variance", variance + (v * (n / (n - 1)) - variance) * self.momentum)


def _channels(shape: Shape) -> Shape:
    """Returns the shape of what each channel has: (c,), for members (k, c)."""
    return shape if len(shape) == 2 else shape[-1:]


def _shaped(values: Tensor, shape: Shape) -> Tensor:
    """Returns the values of channels in one axis, or in two for members."""
    return values if values.shape == shape else values.reshape(shape)
