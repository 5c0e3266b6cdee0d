"""The ONNX form of every operation that a network in evaluation mode can consist of."""

from collections.abc import Callable
from typing import Any

import numpy as np

from nettrain.autodiff.ops.matmul import Matmul
from nettrain.autodiff.ops.shape import Broadcast
from nettrain.autodiff.primitive import Primitive
from nettrain.export.inference_graph import InferenceGraph, NotExportable, Operation
from nettrain.export.onnx.builder import Builder
from nettrain.export.onnx.elementwise import ELEMENTWISE, apply
from nettrain.export.onnx.images import IMAGES
from nettrain.export.onnx.network import Values, not_exportable
from nettrain.export.onnx.normalizations import NORMALIZATIONS
from nettrain.export.onnx.shapes import SHAPES

# Their values are random or statistics of a batch, or compiled plans put them in the place of
# others: a graph of the evaluation has none of them.
TRAINING_ONLY = {
    "PiecewiseLinear",
    "Periodic",
    "Dropout",
    "SpatialDropout",
    "GaussianNoise",
    "Moments",
    "Probe",
    "SoftmaxCrossEntropy",
}


def add_network(builder: Builder, graph: InferenceGraph, x: str, prefix: str = "") -> str:
    """Add all operations of a network; returns the ONNX value of its output.

    Args:
        builder: The graph to add to.
        graph: Of the network.
        x: The ONNX value of its input.
        prefix: In front of all names: an ensemble's member.
    """
    values = Values(builder, graph, x, prefix)
    for operation in graph.operations.values():
        builder.prefix = f"{prefix}{operation.layer}/".lstrip("/")
        _add(values, operation)
    found = values.last(graph.output)
    builder.prefix = prefix
    return found


def check_exportable(graph: InferenceGraph) -> list[str]:
    """A sentence for every operation that has no ONNX form."""
    return [
        not_exportable(operation)
        for operation in graph.operations.values()
        if not isinstance(operation.primitive, Broadcast)
        and not hasattr(operation.primitive, "to_onnx")
        and form_of(operation.primitive) is None
    ]


def form_of(primitive: Primitive) -> str | None:
    """The name under which the tables have an operation or the one that it derives from."""
    names = (kind.__name__ for kind in type(primitive).__mro__)
    return next((name for name in names if name in ELEMENTWISE or name in OTHERS), None)


def _add(values: Values, operation: Operation) -> None:
    primitive = operation.primitive
    if isinstance(primitive, Broadcast):  # ONNX repeats operands itself, or `last` expands it
        return
    if hasattr(primitive, "to_onnx"):
        inputs = [values.last(operand) for operand in operation.inputs]
        values.set_last(operation, primitive.to_onnx(values.builder, *inputs))
        return
    name = form_of(primitive)
    if name in ELEMENTWISE:
        values.elementwise(operation, ELEMENTWISE[name])
    elif name in OTHERS:
        OTHERS[name](values, operation)
    else:
        raise NotExportable(not_exportable(operation))


def _on_last(operator: str, **attributes: Any) -> Callable[[Values, Operation], None]:
    """An operator on values whose axes are in nettrain's order."""

    def build(values: Values, operation: Operation) -> None:
        inputs = [values.last(name) for name in operation.inputs]
        values.set_last(operation, values.builder.add(operator, *inputs, **attributes))

    return build


def _reduction(operator: str) -> Callable[[Values, Operation], None]:
    """A reduction of the last axis."""

    def build(values: Values, operation: Operation) -> None:
        g = values.builder
        axes = g.constant(np.array([-1], np.int64))
        x = values.last(operation.inputs[0])
        values.set_last(operation, g.add(operator, x, axes, keepdims=0))

    return build


# Operators of products, and their attributes.
_PRODUCTS: dict[str, tuple[str, dict[str, Any]]] = {
    "Matmul": ("MatMul", {}),
    "FeatureProduct": ("Einsum", {"equation": "ndi,dio->ndo"}),
    "Scale": ("Mul", {}),
}


def _affine(values: Values, operation: Operation) -> None:
    g, (x, w, b) = values.builder, (values.last(name) for name in operation.inputs)
    primitive: Any = operation.primitive
    if isinstance(primitive.product, Matmul):
        y = g.add("Gemm", x, w, b)
    else:
        operator, attributes = _PRODUCTS[type(primitive.product).__name__]
        y = g.add("Add", g.add(operator, x, w, **attributes), b)
    values.set_last(
        operation, y if primitive.activation is None else apply(g, primitive.activation, y)
    )


def _parametric_activation(values: Values, operation: Operation) -> None:
    g, (x, a) = values.builder, (values.last(name) for name in operation.inputs)
    primitive: Any = operation.primitive
    bend = g.add("Sub", apply(g, primitive.function, x), x)
    values.set_last(operation, g.add("Add", x, g.add("Mul", a, bend)))


def _embedding(values: Values, operation: Operation) -> None:
    g, (x, *tables) = values.builder, (values.last(name) for name in operation.inputs)
    codes = g.cast(x, np.int64)
    rows = [
        g.add("Gather", table, g.add("Gather", codes, g.constant(np.array(j)), axis=1), axis=0)
        for j, table in enumerate(tables)
    ]
    values.set_last(operation, rows[0] if len(rows) == 1 else g.add("Concat", *rows, axis=1))


OTHERS: dict[str, Callable[[Values, Operation], None]] = {
    "Affine": _affine,
    **{name: _on_last(operator, **more) for name, (operator, more) in _PRODUCTS.items()},
    "ParametricActivation": _parametric_activation,
    "Embedding": _embedding,
    "Softmax": _on_last("Softmax", axis=-1),
    "LogSoftmax": _on_last("LogSoftmax", axis=-1),
    "LogSumExp": _reduction("ReduceLogSumExp"),
    "Sum": _reduction("ReduceSum"),
    "Max": _reduction("ReduceMax"),
    "Min": _reduction("ReduceMin"),
    **IMAGES,
    **NORMALIZATIONS,
    **SHAPES,
}
