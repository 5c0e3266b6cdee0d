"""Layer normalization."""

from dataclasses import dataclass

from nettrain.autodiff import tensor
from nettrain.autodiff.ops.row_normalization import NormalizeRows
from nettrain.autodiff.tensor import Tensor
from nettrain.layers._normalization import EpsilonField, Normalization
from nettrain.nn.layer import Scope


@dataclass(frozen=True, kw_only=True)
class LayerNorm(Normalization):
    """Layer normalization. y = gamma (x - m) / sqrt(v + epsilon) + beta, m and v per row.

    m and v are over the last axis; training and evaluation are the same. x (n, ..., c) -> y alike.
    PyTorch's LayerNorm((c,)); Keras's epsilon is 1e-3. Ba, Kiros & Hinton 2016, eq. 4.
    """

    epsilon: EpsilonField = 1e-5

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        return tensor.apply(NormalizeRows(self.epsilon), x, scope["gamma"], scope["beta"])
