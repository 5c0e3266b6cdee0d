"""Layer normalization."""

from dataclasses import dataclass

from nettrain.autodiff import tensor
from nettrain.autodiff.ops.group_normalization import NormalizeGroups
from nettrain.autodiff.ops.row_normalization import NormalizeRows
from nettrain.autodiff.tensor import Tensor
from nettrain.layers._normalization import EpsilonField, Normalization
from nettrain.nn.layer import Scope


@dataclass(frozen=True, kw_only=True)
class LayerNorm(Normalization):
    """Layer normalization. y = gamma (x - m) / sqrt(v + epsilon) + beta, m and v per row.

    m and v are over the last axis; training and evaluation are the same. x (n, ..., c) -> y alike.
    Each of the k members of rows (n, k, c) has moments and weights of its own.
    PyTorch's LayerNorm((c,)); Keras's epsilon is 1e-3. Ba, Kiros & Hinton 2016, eq. 4.
    """

    epsilon: EpsilonField = 1e-5

    def normalize(
        self, x: Tensor, gamma: Tensor, beta: Tensor, scope: Scope, *, members: int = 1
    ) -> Tensor:
        rows = NormalizeRows(self.epsilon)
        return tensor.apply(
            rows if members == 1 else NormalizeGroups(members, self.epsilon), x, gamma, beta
        )
