"""Leaky rectified linear unit."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import NonNegative
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class LeakyRelu(Activation):
    """Leaky ReLU. y = x where x > 0, else slope x.

    Maas et al. 2013. The default slope of Keras is 0.3, that of PyTorch 0.01.
    """

    slope: Annotated[NonNegative, Field(description="derivative below zero")] = 0.01
    initializer = "he"

    def apply(self, x: Tensor) -> Tensor:
        return f.leaky_relu(x, self.slope)
