"""The operations by which a trained network computes its outputs, for any number of rows.

They are recorded in evaluation mode, so whatever is made of `nettrain.autodiff` operations can be
exported without code of its own: layers, activations, models, and those of plugins.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from nettrain.autodiff.backward import nodes_above
from nettrain.autodiff.ops.shape import Broadcast, Reshape
from nettrain.autodiff.primitive import Array, Primitive
from nettrain.autodiff.tensor import Node, Tensor
from nettrain.autodiff.trace import recording
from nettrain.errors import NettrainError
from nettrain.nn.layer import Output
from nettrain.nn.network import Network

INPUT = "x"
ROWS = (2, 3)  # of the two recordings: sizes that differ between them depend on the rows


@dataclass(frozen=True)
class Rows:
    """A size that is `factor` times the number of rows."""

    factor: int = 1


Size = int | Rows


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation that depends on the inputs.

    Attributes:
        name: Of its value, such as `dense_1.matmul`.
        layer: The path of the layer that it belongs to; empty: what follows the last layer.
        primitive: What it computes. The shapes that `Reshape` and `Broadcast` hold are those of
            the recording: use `shape`.
        inputs: The names of its operands: `x`, operations before it, constants.
        shape: Of its value.
    """

    name: str
    layer: str
    primitive: Primitive
    inputs: tuple[str, ...]
    shape: tuple[Size, ...]


@dataclass(frozen=True, eq=False)
class InferenceGraph:
    """The operations in the order in which they are computed.

    Attributes:
        input_shape: Of one row of `x`.
        operations: By the name of their value.
        constants: Parameters (`dense_1.w`), states (`batch_norm_1.mean`), and what was computed
            from them alone. Axes along which one repeats itself have size 1.
        output: The name of the network's output (n, ...): `x` where there is no operation.
        layers: What each layer is: `dense_1` -> `dense`.
        dtype: Of the values.
    """

    input_shape: tuple[int, ...]
    operations: dict[str, Operation]
    constants: dict[str, Array]
    output: str
    layers: dict[str, str]
    dtype: np.dtype

    def consumers(self, name: str) -> list[Operation]:
        """The operations that use a value."""
        return [operation for operation in self.operations.values() if name in operation.inputs]


class NotExportable(NettrainError):
    """A component computes something that cannot be written as a graph."""


def record_inference(
    network: Network, then: Callable[[Tensor], Tensor] = lambda outputs: outputs
) -> InferenceGraph:
    """Record what a network computes in evaluation mode.

    Args:
        network: With its trained weights.
        then: Applied to its outputs (n, o), such as the loss's way from logits to probabilities.

    Raises:
        NotExportable: A layer looks at values, or depends on the number of rows.
    """
    fewer, more = (_Recording(network, then, rows) for rows in ROWS)
    return fewer.merged_with(more)


class _Recording:
    """What a network computes for a fixed number of rows."""

    def __init__(self, network: Network, then: Callable[[Tensor], Tensor], rows: int) -> None:
        self.network, self.rows = network, rows
        self.x = Tensor(np.zeros((rows, *network.input_shape), network.dtype), feed=True)
        # Fed, not constant: what is made of constants alone leaves no trace.
        arrays: Mapping[str, Array] = network.vector.views | network.state
        self.named = {name: Tensor(array, feed=True) for name, array in arrays.items()}
        self.outputs: list[Output] = []
        scope = replace(
            network.scope(training=False), parameters=self.named, watch=self.outputs.append
        )
        with recording() as trace, np.errstate(all="ignore"):
            y = scope.forward([(bound.name, bound.layer) for bound in network.layers], self.x)
            self.result = then(y)
        if trace.data_dependent:
            where = trace.data_dependent_in or "the loss"
            raise NotExportable(
                f"{where}: its computation depends on the values that it gets, so no graph can be "
                "written of it"
            )
        self.tensors = [tensor for _, tensor in reversed(list(nodes_above(self.result)))]

    def merged_with(self, other: "_Recording") -> InferenceGraph:
        """The graph for any number of rows, from two recordings."""
        if len(self.tensors) != len(other.tensors):
            raise NotExportable("the operations of the network depend on the number of rows")
        return _Merge(self, other).graph()


class _Merge:
    """Pairs the values of two recordings: what differs is the number of rows."""

    def __init__(self, first: _Recording, second: _Recording) -> None:
        self.first, self.second = first, second
        self.names: dict[int, str] = {id(first.x): INPUT}
        self.constants: dict[str, Array] = {}
        self.operations: dict[str, Operation] = {}
        self.parameters = {id(tensor): name for name, tensor in first.named.items()}
        self.ends = [(o.value.node.age, o.path) for o in first.outputs if o.value.node]

    def graph(self) -> InferenceGraph:
        """The graph."""
        for a, b in zip(self.first.tensors, self.second.tensors, strict=True):
            self._add(a, b, *(_node(tensor) for tensor in (a, b)))
        network = self.first.network
        if self.first.result.node is None and self.first.result is not self.first.x:
            raise NotExportable("the outputs of the network do not depend on its inputs")
        used = {name for operation in self.operations.values() for name in operation.inputs}
        return InferenceGraph(
            network.input_shape,
            self.operations,
            {name: array for name, array in self.constants.items() if name in used},
            self.names[id(self.first.result)],
            {output.path: output.layer.name() for output in self.first.outputs},
            network.dtype,
        )

    def _add(self, a: Tensor, b: Tensor, made_a: Node, made_b: Node) -> None:
        layer = next((path for age, path in self.ends if made_a.age <= age), "")
        inputs = tuple(
            self._operand(x, y, layer) for x, y in zip(made_a.inputs, made_b.inputs, strict=True)
        )
        name = self._unused(f"{layer}.{_snake(made_a.primitive)}".lstrip("."))
        self.names[id(a)] = name
        shape = tuple(self._sizes(a, b, layer))
        from_constants = all(operand in self.constants for operand in inputs)
        if from_constants and all(isinstance(size, int) for size in shape):
            self.constants[name] = _without_repeats(a.value)
            return
        if not _alike(made_a.primitive, made_b.primitive):
            raise self._depends_on_rows(layer)
        self.operations[name] = Operation(name, layer, made_a.primitive, inputs, shape)

    def _operand(self, a: Tensor, b: Tensor, layer: str) -> str:
        if id(a) not in self.names:
            value, again = _without_repeats(a.value), _without_repeats(b.value)
            if value.shape != again.shape or not np.array_equal(value, again, equal_nan=True):
                raise self._depends_on_rows(layer)
            name = self.parameters.get(id(a)) or self._unused(f"{layer}.constant".lstrip("."))
            self.names[id(a)] = name
            self.constants[name] = value
        return self.names[id(a)]

    def _sizes(self, a: Tensor, b: Tensor, layer: str) -> Iterator[Size]:
        n, m = self.first.rows, self.second.rows
        if a.ndim != b.ndim:
            raise self._depends_on_rows(layer)
        for size, other in zip(a.shape, b.shape, strict=True):
            factor = (other - size) // (m - n)
            if size != factor * n and factor:
                raise self._depends_on_rows(layer)
            yield Rows(factor) if factor else size

    def _unused(self, name: str) -> str:
        taken = {*self.names.values(), *self.parameters.values()}
        numbered = (f"{name}_{number}" for number in range(2, len(taken) + 3))
        return next(one for one in (name, *numbered) if one not in taken)

    def _depends_on_rows(self, layer: str) -> NotExportable:
        return NotExportable(
            f"{layer or 'the loss'}: its operations depend on the number of rows, so no graph for "
            "any number can be written of it"
        )


def _node(tensor: Tensor) -> Node:
    assert tensor.node is not None
    return tensor.node


def _alike(a: Primitive, b: Primitive) -> bool:
    """Whether both compute the same, but for the number of rows in the shapes that they hold."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Reshape | Broadcast) or a == b:
        return True
    fields = ((value, vars(b)[key]) for key, value in vars(a).items())
    return all(_alike(x, y) if isinstance(x, Primitive) else x == y for x, y in fields)


def _without_repeats(array: Array) -> Array:
    """The array with size 1 along the axes on which it only repeats itself."""
    once = tuple(slice(0, 1) if stride == 0 else slice(None) for stride in array.strides)
    return array[once]


def _snake(primitive: Primitive) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(primitive).__name__).lower()
