"""The largest pixel of each channel."""

from dataclasses import dataclass

from nettrain.autodiff import tensor
from nettrain.autodiff.ops import pooling
from nettrain.autodiff.tensor import Tensor
from nettrain.layers._pool import GlobalPool
from nettrain.nn.layer import Scope


@dataclass(frozen=True, kw_only=True)
class GlobalMaxPool(GlobalPool):
    """y[c] = max_pq x[p, q, c]: the largest pixel of each channel; the first of equals gets the gradient.  x (n, h, w, c) -> y (n, c)."""

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        return tensor.apply(pooling.GlobalMaxPool(), x)
