"""Exponential linear unit."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.component import Positive
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Elu(Activation):
    """ELU. y = x where x > 0, else alpha (e^x - 1), above -alpha.

    Clevert et al. 2016, eq. 15.
    """

    alpha: Annotated[
        Positive,
        Field(description="negative of the limit at minus infinity; 1: no kink at 0"),
    ] = 1.0
    initializer = "he"

    def apply(self, x: Tensor) -> Tensor:
        return f.elu(x, self.alpha)
