"""The unit of most transformers."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Gelu(Activation):
    """y = x P(x), P(x) = (1 + erf(x / sqrt 2)) / 2, exact.  Hendrycks & Gimpel 2016.  PyTorch's approximate="tanh" differs by 5e-4."""

    initializer = "he"

    def apply(self, x: Tensor) -> Tensor:
        return f.gelu(x)
