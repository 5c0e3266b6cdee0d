"""Global average pooling."""

from dataclasses import dataclass

from nettrain.autodiff import tensor
from nettrain.autodiff.ops import global_pooling
from nettrain.autodiff.tensor import Tensor
from nettrain.layers._pool import GlobalPool
from nettrain.nn.layer import Scope


@dataclass(frozen=True, kw_only=True)
class GlobalAveragePool(GlobalPool):
    """Global average pooling. y[c] = sum_pq x[p, q, c] / (h w).

    x (n, h, w, c) -> y (n, c). Lin, Chen & Yan 2014, section 3.2.
    """

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        return tensor.apply(global_pooling.GlobalAveragePool(), x)
