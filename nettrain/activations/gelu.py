"""Gaussian error linear unit."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Gelu(Activation):
    """GELU. y = x P(x), P(x) = (1 + erf(x / sqrt 2)) / 2.

    The Gaussian error linear unit of most transformers, exact: PyTorch's approximate="tanh" differs
    by up to 5e-4. Hendrycks & Gimpel 2016.
    """

    initializer = "he"

    def apply(self, x: Tensor) -> Tensor:
        return f.gelu(x)
