"""The base of all layers, and the scope in which a layer runs."""

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
from nettrain.errors import ConfigError
from nettrain.nn.activation import Activation
from nettrain.nn.loss import Loss
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.receptive_field import ReceptiveField
from nettrain.schedules import Number, Scheduled, base_value

Report = Callable[[str, str], None]  # takes a layer's path and a line of text


@dataclass(frozen=True)
class Output:
    """The output of a layer for a batch.

    Attributes:
        path: `dense_1`; of a layer inside a layer `residual_1.dense_1`.
        layer: the layer.
        value: (n, ...).
    """

    path: str
    layer: "Layer"
    value: Tensor


@dataclass(frozen=True)
class Scope:
    """What a layer sees while it runs: its parameters and state, the mode, and its random stream.

    Attributes:
        parameters: of the whole network by full name, such as `dense_1.w`; state too, such as
            `batch_norm_1.mean`.
        training: whether the layer trains; otherwise it is in evaluation mode.
        generator: returns the random generator of a layer path for the current step.
        path: of the layer: `dense_1`; a layer inside a layer has `residual_1.dense_1`.
        rows: of the whole batch, where the layer sees only a shard of them; None: it sees all.
        proposals: where new values of state are collected in a step of training; None in checks and
            in evaluation, which change nothing.
        step: returns the number of the current step, counted from 0.
        number: returns a number that may follow a schedule, as it is in the current step.
        report: takes the path of the layer and a line of text for people.
        watch: called with the output of every layer, for diagnosis.
        learning: whether this is the one pass over training rows, before training, in which layers
            set state and weights to what they learn from them.
    """

    parameters: Mapping[str, Tensor]
    training: bool
    generator: Callable[[str], np.random.Generator]
    path: str = ""
    rows: int | None = None
    proposals: dict[str, Tensor] | None = None
    step: Callable[[], int] = int
    number: Callable[[Number], float] = base_value
    report: Report = print
    watch: Callable[[Output], None] | None = None
    learning: bool = False

    def __getitem__(self, name: str) -> Tensor:
        """Returns one of the layer's own parameters or arrays of state: `scope["w"]`."""
        return self.parameters[f"{self.path}.{name}"]

    def current(self, number: Number) -> float | Callable[[], float]:
        """Returns a number, or what returns it in each step where it follows a schedule."""
        return (lambda: self.number(number)) if isinstance(number, Scheduled) else number

    def propose(self, name: str, value: Tensor) -> None:
        """Proposes a new value for an array of the layer's state, applied after the update.

        It must be computed from tensors, the old value among them, so that a plan can compute it
        again.
        """
        if self.proposals is not None:
            self.proposals[f"{self.path}.{name}"] = value

    def learn(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Sets arrays of the layer to what it has learned from the rows of this pass."""
        for name, array in arrays.items():
            self[name].value[...] = array

    def child(self, name: str) -> "Scope":
        """Returns the scope of a layer inside this one."""
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
            begin, trace.layer = now(), name
            x = self.run(name, layer, x)
            trace.spans.append((name, begin, now()))
            trace.layer = ""
        return x


class Layer(Component):
    """One stage of a network. Shapes are those of one row, without the batch axis n.

    Attributes:
        independent_rows: whether the rows of a batch may be computed in shards: each output row
            depends on its own input row alone, or on others through a `Barrier` only. False unless
            a layer says otherwise.
        ends_network: whether nothing can follow the layer.
        takes_codes: whether the last inputs of a row may be codes of categories (`TableShape`).
    """

    kind = "layer"
    package = "nettrain.layers"
    independent_rows: ClassVar[bool] = False
    ends_network: ClassVar[bool] = False
    takes_codes: ClassVar[bool] = False

    @classmethod
    def expand_shorthand(cls, value: object) -> object:
        """Lets a bare activation stand for the layer that applies it: `- relu`."""
        if isinstance(value, str) and value in names(Activation) and value not in names(cls):
            return {"type": "activation", "function": value}
        return super().expand_shorthand(value)

    @classmethod
    def shorthands(cls) -> tuple[type[Component], ...]:
        """Returns the activations."""
        return (Activation,)

    @property
    def activates(self) -> Activation | None:
        """The activation that this layer applies, if any."""
        return None

    def with_next_activation(self, activation: Activation | None) -> "Layer":
        """Returns this layer with its open choices made for the activation that follows it.

        A dense layer without an initializer takes the one for that activation.
        """
        return self

    def for_loss(self, loss: Loss) -> "Layer":
        """Returns this layer with its open choices made for the loss that its outputs get."""
        return self

    def with_input_shape(self, shape: Shape) -> "Layer":
        """Returns this layer with its open choices made for rows of this shape.

        Raises:
            ConfigError: they contradict each other.
        """
        return self

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """Returns the shape of one output row.

        Raises:
            ConfigError: the layer does not fit rows of this shape; the message names both shapes.
        """

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Returns the trained arrays for inputs of this shape, by name."""
        return {}

    def state(self, shape: Shape) -> dict[str, np.ndarray]:
        """Returns the initial values of arrays kept between steps, such as running statistics."""
        return {}

    def learns(self, shape: Shape) -> bool:
        """Returns whether training rows set state or weights of the layer before training.

        Its `apply` then calls `scope.learn` where `scope.learning` holds.
        """
        return False

    @abstractmethod
    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """Returns the output (n, ...) for x (n, ...)."""

    def min_batch_size(self, shape: Shape) -> int:
        """Returns the rows that a batch in training must have at least."""
        return 1

    def shardable(self, shape: Shape) -> bool:
        """Returns whether the rows of a batch may be computed in shards."""
        return self.independent_rows

    def flops(self, shape: Shape) -> int:
        """Returns the multiplications and additions of one row's forward pass.

        Those of products are counted; element-wise work is not.
        """
        return 0

    def receptive_field(self, shape: Shape) -> ReceptiveField:
        """Returns the part of an input image that one output pixel depends on."""
        return ReceptiveField()


@dataclass(frozen=True, kw_only=True)
class TrainedLayer(Layer):
    """A layer with parameters of its own, with a learning rate factor, and possibly frozen."""

    learning_rate: Annotated[
        Positive | tuple[Positive, ...],
        Field(
            description="factor of the learning rate in this layer; a list has one for each member",
            examples=[0.1, [1, 0.1]],
        ),
    ] = 1.0
    trainable: Annotated[
        Flag,
        Field(description="false: the parameters are frozen (no gradient, no penalty, no update)"),
    ] = True

    @abstractmethod
    def arrays(self, shape: Shape) -> dict[str, Parameter]:
        """Returns the parameters for inputs of this shape, by name.

        Their `rate` is a factor on top of the layer's.
        """

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Returns the arrays, marked with the learning rate factor and whether they are trained.

        Raises:
            ConfigError: it lists a factor for each member, and there are not as many.
        """
        arrays = self.arrays(shape)
        if isinstance(self.learning_rate, tuple):
            self._check_members(arrays.values(), len(self.learning_rate))
        return {name: self._marked(array) for name, array in arrays.items()}

    def _marked(self, array: Parameter) -> Parameter:
        marked = dataclasses.replace(array, trainable=self.trainable)
        if not isinstance(self.learning_rate, tuple):
            return dataclasses.replace(marked, rate=array.rate * self.learning_rate)
        if array.member_count is None:  # the members share it
            return marked
        return dataclasses.replace(marked, member_rates=self.learning_rate)

    def _check_members(self, arrays: Iterable[Parameter], factors: int) -> None:
        counts = {array.member_count for array in arrays if array.member_count is not None}
        if counts != {factors}:
            there = f"they are {counts.pop()}" if counts else "it has none: give one number"
            raise ConfigError(
                f"{self.name()}.learning_rate: lists {factors} factors, one for each member, and "
                + there
            )
