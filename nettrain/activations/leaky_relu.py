"""A relu that lets a little through."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import NonNegative
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class LeakyRelu(Activation):
    """y = x where x > 0, else slope x.  Maas et al. 2013.  Keras's default slope is 0.3, PyTorch's 0.01."""

    slope: Annotated[NonNegative, Field(description="derivative below zero")] = 0.01
    initializer = "he"

    def apply(self, x: Tensor) -> Tensor:
        return f.leaky_relu(x, self.slope)
