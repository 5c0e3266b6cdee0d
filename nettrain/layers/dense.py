"""Fully connected layer."""

import math
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.autodiff.tensor import Tensor
from nettrain.component import Count, Flag, Positive
from nettrain.errors import ConfigError
from nettrain.layers._weights import (
    ZEROS,
    BiasField,
    BiasInitializerField,
    InitializerField,
    WeightedLayer,
)
from nettrain.nn.activation import Activation
from nettrain.nn.initializer import Initializer
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.receptive_field import EVERYTHING, ReceptiveField

_BENDS = 5  # rows of which a unit's bias is a combination
_ROUNDING = 8  # units in the last place of its terms by which a sum that is 0 may differ from it
STANDARD_NORMAL = Initializer.parse({"type": "normal", "deviation": 1.0})


@dataclass(frozen=True, kw_only=True)
class Dense(WeightedLayer):
    """Fully connected. y = x w + b; with `parametrization: ntk` y = x w / sqrt(i) + b.

    x (n, i), w (i, o), b (o,) -> y (n, o): o (i + 1) parameters. PyTorch's Linear has w (o, i).

    In the neural tangent parametrization weights start from a standard normal distribution whatever
    the width. The outputs start as those of `lecun`, but a step of Adam changes them as a step of
    1/sqrt(i) of the rate does in the standard one: one rate then suits layers of unequal width.
    Weight decay acts on w as it is. Jacot et al. 2018 (Neural tangent kernel), eq. 1; Holzmüller et
    al. 2024 (RealMLP), with `bias_learning_rate: 0.1`.

    With `start_from_rows` the training rows (16,384 of them, if there are more) set the start:
    weights are divided by the standard deviation of their output x w over the rows, and the bias of
    a unit becomes minus a random convex combination of its outputs for 5 rows, so that it bends
    among them. RealMLP's modes std and he+5; Steinwart 2019 (A sober look at neural network
    initializations) for the latter.
    """

    independent_rows = True

    units: Annotated[
        Count | None,
        Field(
            description="outputs; null (in the last layer only): as many as the loss needs",
            examples=[64],
        ),
    ] = None
    bias: BiasField = True
    initializer: InitializerField = None
    bias_initializer: BiasInitializerField = ZEROS
    bias_learning_rate: Annotated[
        Positive, Field(description="factor of the learning rate of the bias, beside the layer's")
    ] = 1.0
    parametrization: Annotated[
        Literal["standard", "ntk"],
        Field(description="ntk: weights of standard deviation 1, and products divided by sqrt(i)"),
    ] = "standard"

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise ConfigError(
                f"dense takes rows of numbers, got rows of shape {shape}: put a flatten layer in "
                "front"
            )
        if self.units is None:
            raise ConfigError("only the last dense layer may leave `units` out")
        return (self.units,)

    start_from_rows: Annotated[
        Flag, Field(description="whether training rows scale the weights and place the biases")
    ] = False

    def learns(self, shape: Shape) -> bool:
        return self.start_from_rows

    def with_next_activation(self, activation: Activation | None) -> Layer:
        if self.parametrization == "ntk" and self.initializer is None:
            return self.replace(initializer=STANDARD_NORMAL)
        return super().with_next_activation(activation)

    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        return self._arrays(shape[0], self.output_shape(shape)[0])

    def _arrays(self, i: int, o: int) -> dict[str, Parameter]:
        w = Parameter((i, o), self.weight_initializer, fan_in=i, fan_out=o)
        bias = {
            name: replace(b, rate=self.bias_learning_rate)
            for name, b in self.bias_parameter(o).items()
        }
        return {"w": w} | bias

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        if self.parametrization == "ntk":
            x = x * (1 / math.sqrt(x.shape[-1]))  # not y: product and bias stay one operation
        if scope.learning and self.start_from_rows:
            scope.learn(self._start(x.value, scope))
        y = self.product(x, scope["w"])
        return y + scope["b"] if self.bias else y

    def product(self, x: Tensor, w: Tensor) -> Tensor:
        """Returns x w."""
        return x @ w

    def _start(self, x: np.ndarray, scope: Scope) -> dict[str, np.ndarray]:
        """Returns w and b for training rows x (n, i)."""
        w = scope["w"].value
        z = self.product(Tensor(x), Tensor(w)).value
        deviation = z.std(axis=0)
        # A unit that sees constants alone, or whose terms cancel: its outputs differ by rounding at
        # most, and the deviation of equal numbers need not be 0, as their mean is rounded too.
        terms = self.product(Tensor(np.abs(x)), Tensor(np.abs(w))).value.max(axis=0)
        deviation[np.ptp(z, axis=0) <= _ROUNDING * np.finfo(z.dtype).eps * terms] = 1
        found, z = {"w": w / deviation[..., None, :]}, z / deviation
        if self.bias:
            generator = scope.generator(scope.path)
            rows = generator.integers(len(z), size=(_BENDS, *z.shape[1:]))
            shares = generator.exponential(size=rows.shape)
            chosen = np.take_along_axis(z, rows, axis=0)
            found["b"] = -(shares / shares.sum(axis=0) * chosen).sum(axis=0)
        return found

    def flops(self, shape: Shape) -> int:
        return 2 * shape[0] * (self.units or 0)

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        return EVERYTHING
