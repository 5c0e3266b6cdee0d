"""The computation graph of a model and its loss on some rows, with every value and gradient."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from nettrain.autodiff.backward import Gradients, backward, nodes_above
from nettrain.autodiff.primitive import Array, ElementWise
from nettrain.autodiff.tensor import Node, Tensor
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network

LOSS = "loss"


@dataclass(frozen=True, eq=False)
class Value:
    """One value of the graph: a leaf, or the result of an operation.

    Attributes:
        name: `x`, `y`, `dense_1.w`, or `v3` for the third operation.
        kind: input, target, parameter, state, constant or operation.
        layer: The path of the layer that computes or owns it, such as `residual_1.dense_1`;
            `loss` for the loss.
        operation: `matmul`, `sigmoid`, ...; empty for a leaf.
        formula: How the operation computes its value, from its documentation.
        derivative: How it computes its gradients.
        inputs: The names of the operation's inputs.
        value: The numbers.
        gradient: d loss / d value; None where no gradient is wanted.
        local: For an element-wise operation, d value / d input of each input that has a gradient.
    """

    name: str
    kind: str
    layer: str
    value: Array
    gradient: Array | None
    operation: str = ""
    formula: str = ""
    derivative: str = ""
    inputs: tuple[str, ...] = ()
    local: tuple[Array | None, ...] = ()


@dataclass(frozen=True, eq=False)
class ComputationGraph:
    """The values in the order in which they were computed, leaves before their first use.

    Attributes:
        values: By name; the last one is the loss.
        layers: What each layer of the graph is: `dense_1` -> `dense`.
    """

    values: dict[str, Value]
    layers: dict[str, str] = field(default_factory=dict)

    @property
    def loss(self) -> Value:
        """The mean loss of the rows."""
        return next(reversed(self.values.values()))

    def operations(self) -> list[Value]:
        """The values that operations computed, oldest first."""
        return [value for value in self.values.values() if value.operation]

    def consumers(self, name: str) -> list[Value]:
        """The operations that use a value."""
        return [value for value in self.values.values() if name in value.inputs]


def record_graph(
    network: Network,
    loss: Loss,
    x: Array,
    y: Array,
    weights: Array | None = None,
    *,
    training: bool = False,
    step: int = 0,
    shard: int = 0,
) -> ComputationGraph:
    """Run the network and the loss on some rows and record every operation and gradient.

    The loss is sum_i w_i L_i / sum_i w_i over the rows, as in training.

    Args:
        network: In the dtype in which the graph is to be computed.
        loss: The loss of the run.
        x: Inputs after the transforms (n, ...).
        y: Targets as the loss takes them (n, ...).
        weights: The weights of the rows (n,); None: all equal.
        training: Whether layers act as in a training step (dropout, batch statistics).
        step: Of training, from 0, whose random numbers dropout and the like draw.
        shard: The place of the rows in that step.
    """
    inputs, targets = Tensor(x, requires_grad=True), Tensor(y, feed=True)
    shares = np.full(len(x), 1 / len(x)) if weights is None else weights / weights.sum()
    outputs, layers = network.watched(inputs, training=training, step=step, shard=shard)
    rows = loss.training_rows(outputs, targets)
    mean = rows.sum() if len(x) == 1 else (rows * Tensor(shares.astype(rows.dtype))).sum()
    names = {id(inputs): ("x", "input", ""), id(targets): ("y", "target", LOSS)}
    for name, tensor in network.parameters.items():
        names[id(tensor)] = (name, "parameter", name.rpartition(".")[0])
    ends = [(output.value.node.age, output.path) for output in layers if output.value.node]
    return ComputationGraph(
        dict(_values(mean, backward(mean), names, ends)),
        {output.path: output.layer.name() for output in layers},
    )


def _values(
    loss: Tensor,
    gradients: Gradients,
    names: dict[int, tuple[str, str, str]],
    ends: list[tuple[int, str]],
) -> Iterator[tuple[str, Value]]:
    constants = 0
    given: set[int] = set()
    for count, (node, tensor) in enumerate(reversed(list(nodes_above(loss))), start=1):
        layer = next((path for age, path in ends if node.age <= age), LOSS)
        for leaf in node.inputs:
            if leaf.node is None and id(leaf) not in given:
                given.add(id(leaf))
                if id(leaf) not in names:
                    constants += 1
                    names[id(leaf)] = (f"c{constants}", "constant", layer)
                name, kind, owner = names[id(leaf)]
                yield name, Value(name, kind, owner, leaf.value, _gradient(leaf, gradients))
        names[id(tensor)] = (f"v{count}", "operation", layer)
        formula, derivative = documented(node)
        yield (
            f"v{count}",
            Value(
                name=f"v{count}",
                kind="operation",
                layer=layer,
                value=tensor.value,
                gradient=_gradient(tensor, gradients),
                operation=operation_name(node),
                formula=formula,
                derivative=derivative,
                inputs=tuple(names[id(x)][0] for x in node.inputs),
                local=_local(node),
            ),
        )


def _gradient(tensor: Tensor, gradients: Gradients) -> Array | None:
    return gradients[tensor] if tensor.requires_grad else None


def operation_name(node: Node) -> str:
    """`LogSoftmax` is `log_softmax`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(node.primitive).__name__).lower()


def documented(node: Node) -> tuple[str, str]:
    """The operation's formula and its derivatives, from the first paragraph of its docstring."""
    text = " ".join((type(node.primitive).__doc__ or "").partition("\n\n")[0].split())
    formula, _, derivative = text.partition(";")
    if "=" not in formula:
        return formula.rstrip("."), ""
    return formula.strip(), re.split(r"\.\s|: ", derivative)[0].strip(" .")


def _local(node: Node) -> tuple[Array | None, ...]:
    """d value / d input of an element-wise operation: what its backward pass makes of ones."""
    if not isinstance(node.primitive, ElementWise):
        return ()
    inputs = [x.value for x in node.inputs]
    found: list[Array | None] = []
    for i, x in enumerate(node.inputs):
        if not x.requires_grad:
            found.append(None)
            continue
        slots = [np.empty_like(node.out) if j == i else None for j in range(len(inputs))]
        node.primitive.backward(slots, np.ones_like(node.out), node.out, *inputs, **node.scratch)
        found.append(slots[i])
    return tuple(found)
