"""A network: layers applied one after the other, their parameters in one vector."""

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from nettrain import streams
from nettrain.autodiff.plan.shards import RunTasks
from nettrain.autodiff.tensor import Tensor
from nettrain.errors import ConfigError
from nettrain.nn.batched_inference import BatchedInference, Rows
from nettrain.nn.bound_layer import bind, resolve
from nettrain.nn.layer import Layer, Output, Report, Scope
from nettrain.nn.parameter import Shape
from nettrain.nn.step_position import StepPosition
from nettrain.nn.vector import ParameterVector
from nettrain.schedules import RunLength, number_at


def to_standard_error(path: str, text: str) -> None:
    """Prints a layer's line of text on standard error."""
    print(f"{path}: {text}", file=sys.stderr)


class Network:
    """Layers one after the other. Calling it on a Tensor (n, ...) returns its outputs (n, ...).

    Layers that keep running statistics (batch_norm) need `proposals={}` in that call, and `commit`
    of it after the update.

    Args:
        layers: applied in this order.
        shape: of one input row.
        seed: of the initial weights and of every random stream.
        dtype: of weights, inputs and outputs.
        compiled: whether `outputs` uses compiled kernels.
        rates: factors of the learning rate by group of parameters, beside those of the layers.
        report: takes (layer path, text) from layers that show what passes through them.

    Attributes:
        layers: the bound layers, in order.
        vector: all parameters and their gradient, flat.
        parameters, state: by full name, such as `dense_1.w` or `batch_norm_1.mean`.
        slots: where the gradient of each trained parameter goes.
        batched_inference: computes `outputs`.

    Raises:
        ConfigError: a layer does not fit the rows that it gets.

    Example:
        network = Network([Dense(units=64), Activation(function=Relu()), Dense(units=10)], (64,))
        loss = CrossEntropy().rows(network(Tensor(x), training=True), Tensor(y)).mean()
        gradients = backward(loss, into=network.slots)  # dw lands in network.vector.gradient
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        shape: Shape,
        *,
        seed: int = 0,
        dtype: Any = np.float32,
        compiled: bool = False,
        rates: Mapping[str, float] | None = None,
        report: Report = to_standard_error,
    ) -> None:
        try:
            self.layers = bind(resolve(layers), shape)
        except ConfigError as error:
            raise ConfigError([f"model: {problem}" for problem in error.problems]) from None
        self.input_shape = shape
        self.output_shape = self.layers[-1].output_shape if self.layers else shape
        self.dtype = np.dtype(dtype)
        named = {
            f"{p.name}.{key}": dataclasses.replace(
                parameter, rate=parameter.rate * (rates or {}).get(parameter.group, 1.0)
            )
            for p in self.layers
            for key, parameter in p.parameters.items()
        }
        self.vector = ParameterVector(named, self.dtype)
        for name, p in named.items():
            self.vector.views[name][...] = p.sample(
                streams.generator(seed, f"initialization.{name}")
            )
        frozen = self.vector.frozen
        self.parameters = {
            name: Tensor(view, requires_grad=name not in frozen)
            for name, view in self.vector.views.items()
        }
        self.slots = {
            self.parameters[name]: slot
            for name, slot in self.vector.gradient_views.items()
            if name not in frozen
        }
        self.state = {
            f"{p.name}.{key}": array.astype(self.dtype)
            for p in self.layers
            for key, array in p.state.items()
        }
        self._training = self.parameters | {
            name: Tensor(array, feed=True) for name, array in self.state.items()
        }
        arrays = self.vector.views | self.state
        self._evaluation = {name: Tensor(array) for name, array in arrays.items()}
        self.report = report
        self._layers = [(bound.name, bound.layer) for bound in self.layers]
        self._position = StepPosition(seed)
        constants = self.scope(training=False)
        fed = dataclasses.replace(
            constants, parameters={name: Tensor(array, feed=True) for name, array in arrays.items()}
        )
        self.batched_inference = BatchedInference(
            self.layers, constants, fed, shape, self.dtype, compiled
        )

    @property
    def length(self) -> RunLength | None:
        """Of the run that trains it, for numbers that follow a schedule; None: there is none."""
        return self._position.length

    @length.setter
    def length(self, length: RunLength | None) -> None:
        self._position.length = length

    def seek(self, step: int, shards: Sequence[int] = (0,)) -> None:
        """Moves every random stream that a layer has used to a step, to replay a plan.

        Args:
            step: counted from 0.
            shards: the place within the step of each stream index (`stream`).
        """
        self._position.seek(step, shards)

    def scope(
        self,
        *,
        training: bool,
        step: int = 0,
        shard: int = 0,
        stream: int = 0,
        rows: int | None = None,
        proposals: dict[str, Tensor] | None = None,
        report: Report | None = None,
    ) -> Scope:
        """Returns what layers see: parameters with gradients in training, else constants."""
        position = self._position
        position.step = step
        return Scope(
            self._training if training else self._evaluation,
            training,
            partial(position.generator, step, shard, stream),
            rows=rows,
            proposals=proposals,
            step=position.current_step,
            number=position.number,
            report=report or self.report,
        )

    def __call__(self, x: Tensor, *, training: bool = False, **position: Any) -> Tensor:
        """Returns the outputs for x.

        Args:
            x: (n, ...).
            training: training mode; otherwise evaluation mode.
            **position: see `scope`. step, shard and stream place the random streams of dropout and
                the like; rows is the size of the whole batch where x is a shard of it; proposals is
                an empty mapping that collects new values of state, for `commit`; report replaces
                the network's own.
        """
        return self.scope(training=training, **position).forward(self._layers, x)

    def watched(
        self, x: Tensor, *, training: bool = False, step: int = 0, shard: int = 0
    ) -> tuple[Tensor, list[Output]]:
        """Returns the outputs for x, and those of every layer inside.

        Unlike `self(x)` it allows gradients with respect to `parameters` and to the output of every
        layer in evaluation mode too, and a plan can be made. No layer changes its state. `step` and
        `shard` place the random streams.
        """
        outputs: list[Output] = []
        generator = partial(self._position.generator, step, shard, 0)
        scope = Scope(
            self._training,
            training,
            generator,
            number=lambda number: number_at(number, step, self.length),
            watch=outputs.append,
        )
        return scope.forward(self._layers, x), outputs

    def learn_from_rows(self, x: np.ndarray) -> None:
        """Sets state and weights that layers learn from training rows (n, ...).

        The layers behind the last that learns do not run: all rows at once would take their memory.
        """
        learn = [bound.layer.learns(bound.input_shape) for bound in self.layers]
        count = len(learn) - learn[::-1].index(True) if True in learn else 0
        scope = dataclasses.replace(self.scope(training=False), learning=True)
        scope.forward(self._layers[:count], Tensor(x.astype(self.dtype)))

    @property
    def learns_from_rows(self) -> bool:
        """Whether a layer learns from training rows before training."""
        return any(bound.layer.learns(bound.input_shape) for bound in self.layers)

    def commit(self, proposals: Mapping[str, Tensor]) -> None:
        """Applies the proposals of a training step to the state, after the update."""
        for name, value in proposals.items():
            self.state[name][...] = value.value

    def restore_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Sets the state to saved values."""
        for name, array in self.state.items():
            array[...] = state[name]

    @property
    def independent_rows(self) -> bool:
        """Whether every layer allows the rows of a batch to be computed in shards."""
        return all(p.layer.shardable(p.input_shape) for p in self.layers)

    def outputs(self, x: Rows, run_tasks: RunTasks | None = None) -> np.ndarray:
        """Returns the outputs in evaluation mode, chunk by chunk.

        The chunks depend on the layers alone, because BLAS gives other bits for other shapes.

        Args:
            x: the rows.
            together: runs the chunks, on one thread or several, if the layers allow it.
        """
        return self.batched_inference(x, run_tasks if self.independent_rows else None)
