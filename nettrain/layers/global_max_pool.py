"""Global max pooling."""

from dataclasses import dataclass

from nettrain.autodiff import tensor
from nettrain.autodiff.ops import global_pooling
from nettrain.autodiff.tensor import Tensor
from nettrain.layers._pool import GlobalPool
from nettrain.nn.layer import Scope


@dataclass(frozen=True, kw_only=True)
class GlobalMaxPool(GlobalPool):
    """Global max pooling. y[c] = max_pq x[p, q, c].

    x (n, h, w, c) -> y (n, c). Of equal pixels the first gets the gradient.
    """

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        return tensor.apply(global_pooling.GlobalMaxPool(), x)
