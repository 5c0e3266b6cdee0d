"""The base of all layers, and the scope in which one runs."""

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from nettrain.autodiff.tensor import Tensor, now
from nettrain.autodiff.trace import current
from nettrain.component import Component, Flag, Positive, names
from nettrain.nn.activation import Activation
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.receptive_field import ReceptiveField

Report = Callable[[str, str], None]  # takes a layer's path and a line of text


@dataclass(frozen=True)
class Output:
    """What a layer gave for a batch, (n, ...). path: `dense_1`; of a layer inside a layer `residual_1.dense_1`."""

    path: str
    layer: "Layer"
    value: Tensor


@dataclass(frozen=True)
class Scope:
    """What a layer sees while it runs: its own parameters and state, whether it trains, and its own random stream.

    parameters  of the whole network by full name, such as `dense_1.w`; arrays of state too, such as `batch_norm_1.mean`
    generator   gives the random generator of a layer path for the current step
    path        of the layer: `dense_1`; a layer inside a layer has `residual_1.dense_1`
    rows        of the whole batch, where the layer sees only a shard of them; None: it sees all
    proposals   where new values of state are collected in a step of training; None in checks and evaluation, which change nothing
    step        gives the number of the current step, counted from 0; a plan moves it on
    report      takes a line of text for people, and the layer's path
    watch       is told the output of every layer, where somebody looks at them
    """

    parameters: Mapping[str, Tensor]
    training: bool
    generator: Callable[[str], np.random.Generator]
    path: str = ""
    rows: int | None = None
    proposals: dict[str, Tensor] | None = None
    step: Callable[[], int] = int
    report: Report = print
    watch: Callable[[Output], None] | None = None

    def __getitem__(self, name: str) -> Tensor:
        """One of the layer's own parameters or arrays of state: `scope["w"]`."""
        return self.parameters[f"{self.path}.{name}"]

    def propose(self, name: str, value: Tensor) -> None:
        """A new value for an array of the layer's state, taken over once the step has updated the weights.

        It must be computed from tensors, the old value among them, so that a plan can compute it again.
        """
        if self.proposals is not None:
            self.proposals[f"{self.path}.{name}"] = value

    def child(self, name: str) -> "Scope":
        """The scope of a layer inside this one."""
        return dataclasses.replace(self, path=f"{self.path}.{name}" if self.path else name)

    def run(self, name: str, layer: "Layer", x: Tensor) -> Tensor:
        """Returns the output of a layer inside this one, applied in its own scope."""
        scope = self.child(name)
        y = layer.apply(x, scope)
        if self.watch is not None:
            self.watch(Output(scope.path, layer, y))
        return y

    def forward(self, layers: Iterable[tuple[str, "Layer"]], x: Tensor) -> Tensor:
        """Returns the output of named layers applied one after the other: the forward pass.

        While a plan is recorded, it notes which operations belong to which layer of the network.
        """
        trace = None if self.path else current()
        for name, layer in layers:
            if trace is None:
                x = self.run(name, layer, x)
                continue
            begin, trace.place = now(), name
            x = self.run(name, layer, x)
            trace.spans.append((name, begin, now()))
            trace.place = ""
        return x


class Layer(Component):
    """One step of a network. Shapes are those of one row: the batch axis n stands in front and is never named.

    independent_rows  whether the rows of a batch may be computed in shards: each output row depends on its own input row alone, or rows
                meet in a `Barrier` only. Not taken for granted of a layer that does not say so.
    """

    kind = "layer"
    package = "nettrain.layers"
    independent_rows: ClassVar[bool] = False

    @classmethod
    def expand_shorthand(cls, value: object) -> object:
        """A bare activation stands for the layer that applies it: `- relu`."""
        if isinstance(value, str) and value in names(Activation) and value not in names(cls):
            return {"type": "activation", "function": value}
        return super().expand_shorthand(value)

    @classmethod
    def shorthands(cls) -> tuple[type[Component], ...]:
        """The activations."""
        return (Activation,)

    @property
    def activates(self) -> Activation | None:
        """The activation that this layer applies, if it applies one."""
        return None

    def with_next_activation(self, activation: Activation | None) -> "Layer":
        """This layer, its open choices settled by the next activation behind it (the initializer of a dense layer)."""
        return self

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """The shape of one output row for one input row. Raises ConfigError where the layer does not fit, naming both shapes."""

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """The layer's trainable arrays for inputs of this shape."""
        return {}

    def state(self, shape: Shape) -> dict[str, np.ndarray]:
        """The arrays that the layer keeps from step to step beside its parameters, as they start: running statistics and the like."""
        return {}

    @abstractmethod
    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The output (n, ...) for x (n, ...)."""

    def min_batch_size(self, shape: Shape) -> int:
        """How many rows a batch must have for the layer to pass on anything of its inputs in training."""
        return 1

    def shardable(self, shape: Shape) -> bool:
        """Whether the rows of a batch may be computed in shards."""
        return self.independent_rows

    def flops(self, shape: Shape) -> int:
        """Multiplications and additions of one row's forward pass in products; element-wise work is not counted."""
        return 0

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        """What a place of the output sees of an input image."""
        return ReceptiveField()


@dataclass(frozen=True, kw_only=True)
class TrainedLayer(Layer):
    """A layer with parameters of its own: it can be trained at another rate than the rest, or not at all."""

    learning_rate: Annotated[
        Positive, Field(description="what multiplies the learning rate in this layer")
    ] = 1.0
    trainable: Annotated[
        Flag,
        Field(
            description="false: the parameters stay as they are (no gradient, no penalty, no update)"
        ),
    ] = True

    @abstractmethod
    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        """The layer's parameters for inputs of this shape."""

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """The arrays, marked with the layer's rate and whether they are trained."""
        return {
            name: dataclasses.replace(array, rate=self.learning_rate, trainable=self.trainable)
            for name, array in self.arrays(shape).items()
        }
