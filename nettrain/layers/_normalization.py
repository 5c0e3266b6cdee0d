"""What the normalizations have in common: a scale and a shift per channel."""

from abc import abstractmethod
from typing import Annotated

from pydantic import Field

from nettrain.autodiff.tensor import Tensor
from nettrain.component import Positive
from nettrain.layers._weights import ZEROS
from nettrain.layers.feature_scale import ONES
from nettrain.nn.layer import Scope, TrainedLayer
from nettrain.nn.parameter import Parameter, Shape, per_unit

EpsilonField = Annotated[
    Positive, Field(description="added to the variance: keeps the division finite")
]


class Normalization(TrainedLayer):
    """y = gamma * normalized x + beta, gamma and beta (c,) per channel.

    The k members of rows (n, k, c) share nothing: they are normalized as rows of k c channels, with
    gamma and beta (k, c).
    """

    independent_rows = True

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        return {
            "gamma": per_unit(shape, ONES, "scale", decayed=False),
            "beta": per_unit(shape, ZEROS, "bias", decayed=False),
        }

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        gamma, beta = scope["gamma"], scope["beta"]
        if x.ndim != 3:
            return self.normalize(x, gamma, beta, scope)
        _, k, c = x.shape
        flat = x.reshape(-1, k * c)
        y = self.normalize(flat, gamma.reshape(k * c), beta.reshape(k * c), scope, members=k)
        return y.reshape(-1, k, c)

    @abstractmethod
    def normalize(
        self, x: Tensor, gamma: Tensor, beta: Tensor, scope: Scope, *, members: int = 1
    ) -> Tensor:
        """Returns the output for x (n, ..., c), whose channels are those of so many members."""
