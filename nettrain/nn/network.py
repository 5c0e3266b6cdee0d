"""A network: layers with names, shapes known before the first row, parameters in one vector."""
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from nettrain import streams
from nettrain.autodiff.tensor import Tensor
from nettrain.errors import ConfigError
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.parameter import Parameter, Shape
from nettrain.nn.vector import ParameterVector


@dataclass(frozen=True)
class Placed:
    """A layer in its place: its name in the network, the shapes of a row before and after it, its own parameters."""

    name: str
    layer: Layer
    input_shape: Shape
    output_shape: Shape
    parameters: Mapping[str, Parameter]

    @property
    def size(self) -> int:
        """How many numbers its parameters hold."""
        return sum(int(np.prod(p.shape)) for p in self.parameters.values())


def place(layers: Sequence[Layer], shape: Shape) -> list[Placed]:
    """Names (`dense_1`, counted a type) and shapes for a list of layers. Raises ConfigError naming the layer that does not fit."""
    placed: list[Placed] = []
    counts: Counter[str] = Counter()
    activation = None
    settled: list[Layer] = []
    for layer in reversed(layers):
        settled.append(layer.before(activation))
        activation = layer.activates or activation
    for layer in reversed(settled):
        counts[layer.name()] += 1
        name = f"{layer.name()}_{counts[layer.name()]}"
        try:
            output_shape = layer.output_shape(shape)
            placed.append(Placed(name, layer, shape, output_shape, layer.parameters(shape)))
        except ConfigError as error:
            raise ConfigError([f"model: layer {len(placed) + 1} ({name}): {problem}" for problem in error.problems]) from None
        shape = output_shape
    return placed


class Network:
    """Layers applied one after the other; calling it on a Tensor (n, ...) gives its outputs (n, ...).

        network = Network([Dense(units=64), Activation(function=Relu()), Dense(units=10)], shape=(64,), seed=0)
        loss = CrossEntropy().rows(network(Tensor(x), training=True), Tensor(y)).mean()
        gradients = backward(loss, into=network.slots)      # dw lands in network.vector.gradient
    """

    def __init__(self, layers: Sequence[Layer], shape: Shape, *, seed: int = 0, dtype: Any = np.float32) -> None:
        self.placed = place(layers, shape)
        self.input_shape = shape
        self.output_shape = self.placed[-1].output_shape if self.placed else shape
        self.dtype = np.dtype(dtype)
        named = {f"{p.name}.{key}": parameter for p in self.placed for key, parameter in p.parameters.items()}
        self.vector = ParameterVector(named, self.dtype)
        for name, p in named.items():
            self.vector.views[name][...] = p.initializer.sample(
                p.shape, p.fan_in, p.fan_out, streams.generator(seed, f"initialization.{name}")
            )
        frozen = self.vector.frozen
        self.parameters = {name: Tensor(view, requires_grad=name not in frozen) for name, view in self.vector.views.items()}
        self.slots = {self.parameters[name]: slot for name, slot in self.vector.gradient_views.items() if name not in frozen}
        self._constants = {name: Tensor(view) for name, view in self.vector.views.items()}
        self._seed = seed
        self._streams: dict[str, streams.StepStream] = {}

    def _generator(self, step: int, shard: int, path: str) -> np.random.Generator:
        if path not in self._streams:
            self._streams[path] = streams.StepStream(self._seed, f"layer.{path}")
        return self._streams[path].seek(step, shard)

    def seek(self, step: int, shard: int = 0) -> None:
        """Move every random stream that a layer has used to the place of a step, for a replay of what was recorded at another."""
        for stream in self._streams.values():
            stream.seek(step, shard)

    def scope(self, *, training: bool, step: int = 0, shard: int = 0) -> Scope:
        """What the layers see: parameters that require gradients in training, constants in evaluation."""
        return Scope(self.parameters if training else self._constants, training, partial(self._generator, step, shard))

    def __call__(self, x: Tensor, *, training: bool = False, step: int = 0, shard: int = 0) -> Tensor:
        """The outputs for x; `step` and `shard` place the random streams of dropout and the like."""
        scope = self.scope(training=training, step=step, shard=shard)
        for placed in self.placed:
            x = placed.layer.apply(x, scope.child(placed.name))
        return x

    def outputs(self, x: np.ndarray, rows: int = 1024) -> np.ndarray:
        """The outputs in evaluation, `rows` at a time; always the same portions, because BLAS gives other bits for other shapes."""
        found = np.empty((len(x), *self.output_shape), self.dtype)
        for start in range(0, len(x), rows):
            part = x[start : start + rows]
            found[start : start + rows] = self(Tensor(np.asarray(part, self.dtype))).value
        return found
