"""Average pooling."""

from dataclasses import dataclass

from nettrain.autodiff import tensor
from nettrain.autodiff.ops import pooling
from nettrain.autodiff.tensor import Tensor
from nettrain.layers._pool import Pool
from nettrain.nn.layer import Scope


@dataclass(frozen=True, kw_only=True)
class AveragePool(Pool):
    """Average pooling. y[p, q, c] = mean_ij x[p s + i, q s + j, c], s the stride.

    x (n, h, w, c) -> y (n, p, q, c), p = floor((h + padding - size) / s) + 1. Padding does not
    count: at the border the mean is over fewer pixels. PyTorch: AvgPool2d(count_include_pad=False),
    which is not its default. Keras's AveragePooling2D: the same.
    """

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        windows, _ = self.windows(x.shape[1:])
        return tensor.apply(pooling.AveragePool(windows.kernel, windows.stride, windows.padding), x)
