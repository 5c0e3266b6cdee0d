"""Max pooling."""

from dataclasses import dataclass

from nettrain.autodiff import tensor
from nettrain.autodiff.ops import max_pooling
from nettrain.autodiff.tensor import Tensor
from nettrain.layers._pool import Pool
from nettrain.nn.layer import Scope


@dataclass(frozen=True, kw_only=True)
class MaxPool(Pool):
    """Max pooling. y[p, q, c] = max_ij x[p s + i, q s + j, c], s the stride.

    x (n, h, w, c) -> y (n, p, q, c), p = floor((h + padding - size) / s) + 1. Padding never wins.
    Of equal pixels the first, row by row, gets the gradient, as in PyTorch's MaxPool2d, whose
    padding is a number per side. Keras's MaxPooling2D: the same `same`.
    """

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        windows, _ = self.windows(x.shape[1:])
        return tensor.apply(max_pooling.MaxPool(windows.kernel, windows.stride, windows.padding), x)
