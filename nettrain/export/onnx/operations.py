"""The ONNX form of every operation that a network in evaluation mode can consist of."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nettrain.autodiff.ops.shape import Broadcast
from nettrain.autodiff.primitive import Primitive
from nettrain.export.inference_graph import InferenceGraph, NotExportable, Operation, Rows, Size
from nettrain.export.onnx.builder import Builder
from nettrain.export.onnx.network import Values, not_exportable

# Their values are random or statistics of a batch: evaluation has none of them.
TRAINING_ONLY = {
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


Elementwise = Callable[..., str]


def _plain(operator: str) -> Elementwise:
    return lambda g, primitive, *inputs: g.add(operator, *inputs)


def _gelu(g: Builder, primitive: Any, x: str) -> str:
    """x (1 + erf(x / sqrt 2)) / 2: ONNX has Gelu from opset 20 on."""
    erf = g.add("Erf", g.add("Mul", x, g.scalar(math.sqrt(0.5))))
    return g.add("Mul", g.add("Mul", x, g.scalar(0.5)), g.add("Add", erf, g.scalar(1.0)))


def _elu(g: Builder, primitive: Any, x: str) -> str:
    if primitive.scale == 1:
        return g.add("Elu", x, alpha=primitive.alpha)
    return g.add("Selu", x, alpha=primitive.alpha, gamma=primitive.scale)


def _step(g: Builder, primitive: Any, x: str) -> str:
    return g.cast(g.add("Greater", x, g.scalar(0.0)), g.dtype)


def _clip(g: Builder, primitive: Any, x: str) -> str:
    return g.add("Clip", x, g.scalar(primitive.low), g.scalar(primitive.high))


def _power(g: Builder, primitive: Any, x: str) -> str:
    return g.add("Pow", x, g.scalar(primitive.exponent))


ELEMENTWISE: dict[str, Elementwise] = {
    "Add": _plain("Add"),
    "Subtract": _plain("Sub"),
    "Multiply": _plain("Mul"),
    "Divide": _plain("Div"),
    "Negative": _plain("Neg"),
    "Power": _power,
    "PowerOf": _plain("Pow"),
    "Exp": _plain("Exp"),
    "Log": _plain("Log"),
    "Sqrt": _plain("Sqrt"),
    "Erf": _plain("Erf"),
    "Gelu": _gelu,
    "Relu": _plain("Relu"),
    "LeakyRelu": lambda g, primitive, x: g.add("LeakyRelu", x, alpha=primitive.slope),
    "Prelu": _plain("PRelu"),
    "Absolute": _plain("Abs"),
    "Step": _step,
    "Clip": _clip,
    "Maximum": _plain("Max"),
    "Minimum": _plain("Min"),
    "Where": _plain("Where"),
    "Sigmoid": _plain("Sigmoid"),
    "Tanh": _plain("Tanh"),
    "Cos": _plain("Cos"),
    "Sin": _plain("Sin"),
    "Silu": lambda g, primitive, x: g.add("Mul", x, g.add("Sigmoid", x)),
    "Softplus": _plain("Softplus"),
    "Softsign": _plain("Softsign"),
    "Elu": _elu,
    "Mish": _plain("Mish"),
    "Copy": _plain("Identity"),
}


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


def _affine(values: Values, operation: Operation) -> None:
    g, (x, w, b) = values.builder, (values.last(name) for name in operation.inputs)
    y = g.add("Gemm", x, w, b)
    activation = operation.primitive.activation  # type: ignore[attr-defined]
    values.set_last(operation, y if activation is None else _apply(g, activation, y))


def _apply(g: Builder, activation: Primitive, x: str) -> str:
    return ELEMENTWISE[form_of(activation) or ""](g, activation, x)


def _convolved(values: Values, inputs: Sequence[str], p: Any, groups: int) -> str:
    g, (x, w) = values.builder, inputs[:2]
    filters = values.constant(w)
    if filters is None:
        weights = g.permute(values.last(w), (3, 2, 0, 1))
    else:
        weights = g.constant(filters.transpose(3, 2, 0, 1), values.named(w))
    bias = [values.last(name) for name in inputs[2:]]
    (top, bottom), (left, right) = p.padding
    return g.add(
        "Conv",
        values.first(x),
        weights,
        *bias,
        strides=list(p.stride),
        pads=[top, left, bottom, right],
        dilations=list(p.dilation),
        group=groups,
    )


def _convolution(values: Values, operation: Operation) -> None:
    p: Any = operation.primitive
    values.set_first(operation, _convolved(values, operation.inputs, p, p.groups))


def _depthwise(values: Values, operation: Operation) -> None:
    channels = values.shape(operation.inputs[0])[-1]
    assert isinstance(channels, int)
    p = operation.primitive
    values.set_first(operation, _convolved(values, operation.inputs, p, channels))


def _convolution_block(values: Values, operation: Operation) -> None:
    p: Any = operation.primitive
    y = _convolved(values, operation.inputs, p.convolution, p.convolution.groups)
    if p.activation is not None:
        y = _apply(values.builder, p.activation, y)
    values.set_first(operation, y if p.pool is None else _pooled(values, "MaxPool", p.pool, y))


def _pooled(values: Values, operator: str, p: Any, x: str, **attributes: Any) -> str:
    (top, bottom), (left, right) = p.padding
    return values.builder.add(
        operator,
        x,
        kernel_shape=list(p.size),
        strides=list(p.stride),
        pads=[top, left, bottom, right],
        **attributes,
    )


def _max_pool(values: Values, operation: Operation) -> None:
    x = values.first(operation.inputs[0])
    values.set_first(operation, _pooled(values, "MaxPool", operation.primitive, x))


def _average_pool(values: Values, operation: Operation) -> None:
    x = values.first(operation.inputs[0])
    y = _pooled(values, "AveragePool", operation.primitive, x, count_include_pad=0)
    values.set_first(operation, y)


def _global_pool(operator: str) -> Callable[[Values, Operation], None]:
    def build(values: Values, operation: Operation) -> None:
        g = values.builder
        y = g.add(operator, values.first(operation.inputs[0]))
        values.set_last(operation, g.add("Flatten", y, axis=1))

    return build


def _normalize(values: Values, operation: Operation) -> None:
    """Batch normalization by saved moments, of rows or of images; otherwise its formula."""
    g, (x, moments, gamma, beta) = values.builder, operation.inputs
    saved, epsilon = values.constant(moments), operation.primitive.epsilon  # type: ignore[attr-defined]
    ndim = len(operation.shape)
    if saved is not None and ndim in (2, 4):
        mean, variance = (
            g.constant(part, f"{g.prefix}{name}")
            for name, part in zip(("mean", "variance"), saved, strict=True)
        )
        scale = [values.last(gamma), values.last(beta), mean, variance]
        if ndim == 4:
            y = g.add("BatchNormalization", values.first(x), *scale, epsilon=epsilon)
            values.set_first(operation, y)
        else:
            y = g.add("BatchNormalization", values.last(x), *scale, epsilon=epsilon)
            values.set_last(operation, y)
        return
    of_all = values.last(moments)
    mean, variance = (g.add("Gather", of_all, g.constant(np.array(i)), axis=0) for i in (0, 1))
    deviation = g.add("Sqrt", g.add("Add", variance, g.scalar(epsilon)))
    z = g.add("Div", g.add("Sub", values.last(x), mean), deviation)
    y = g.add("Add", g.add("Mul", z, values.last(gamma)), values.last(beta))
    values.set_last(operation, y)


def _normalize_rows(values: Values, operation: Operation) -> None:
    inputs = [values.last(name) for name in operation.inputs]
    epsilon = operation.primitive.epsilon  # type: ignore[attr-defined]
    y = values.builder.add("LayerNormalization", *inputs, axis=-1, epsilon=epsilon)
    values.set_last(operation, y)


def _normalize_groups(values: Values, operation: Operation) -> None:
    """Each group as one channel of an instance normalization: all opsets have that."""
    g, p, (x, gamma, beta) = values.builder, operation.primitive, operation.inputs
    groups, epsilon = p.groups, p.epsilon  # type: ignore[attr-defined]
    sizes = [size for size in operation.shape[1:] if isinstance(size, int)]
    ndim = len(sizes) + 1
    first = [0, ndim - 1, *range(1, ndim - 1)]
    by_channel = values.last(x) if ndim == 2 else g.permute(values.last(x), first)
    ones, zeros = g.constant(np.ones(groups)), g.constant(np.zeros(groups))
    z = g.add(
        "InstanceNormalization",
        g.reshape(by_channel, [-1, groups, math.prod(sizes) // groups]),
        ones,
        zeros,
        epsilon=epsilon,
    )
    z = g.reshape(z, [-1, sizes[-1], *sizes[:-1]])
    if ndim > 2:
        z = g.permute(z, np.argsort(first).tolist())
    y = g.add("Add", g.add("Mul", z, values.last(gamma)), values.last(beta))
    values.set_last(operation, y)


def _reshape(values: Values, operation: Operation) -> None:
    g, x = values.builder, values.last(operation.inputs[0])
    sizes = [-1 if isinstance(size, Rows) else size for size in operation.shape]
    if sizes.count(-1) > 1:
        raise NotExportable(not_exportable(operation))
    values.set_last(operation, g.reshape(x, sizes))


def _transpose(values: Values, operation: Operation) -> None:
    axes = operation.primitive.axes  # type: ignore[attr-defined]
    x = values.last(operation.inputs[0])
    values.set_last(operation, values.builder.permute(x, [axis % len(axes) for axis in axes]))


def _slice(values: Values, operation: Operation) -> None:
    """Slices, then integers (an axis less) and None (an axis more)."""
    g, shape = values.builder, values.shape(operation.inputs[0])
    key = operation.primitive.key  # type: ignore[attr-defined]
    if Ellipsis not in key:
        key = (*key, Ellipsis)
    at = key.index(Ellipsis)
    whole = len(shape) - sum(k is not None and k is not Ellipsis for k in key)
    key = (*key[:at], *(slice(None),) * whole, *key[at + 1 :])
    cuts, dropped, added, axis = [], [], [], 0
    for place, k in enumerate(key):
        if k is None:
            added.append(place - sum(isinstance(other, int) for other in key[:place]))
            continue
        if k != slice(None):
            cuts.append((axis, *_bounds(k, shape[axis])))
        if isinstance(k, int):
            dropped.append(axis)
        axis += 1
    y = values.last(operation.inputs[0])
    if cuts:
        axes, starts, ends, steps = (
            g.constant(np.array(column, np.int64)) for column in zip(*cuts, strict=True)
        )
        y = g.add("Slice", y, starts, ends, axes, steps)
    if dropped:
        y = g.add("Squeeze", y, g.constant(np.array(dropped, np.int64)))
    if added:
        y = g.add("Unsqueeze", y, g.constant(np.array(added, np.int64)))
    values.set_last(operation, y)


def _bounds(key: Any, size: Size) -> tuple[int, int, int]:
    """Start, end and step as ONNX takes them."""
    largest = 2**62
    if not isinstance(key, slice):
        return int(key), largest if key == -1 else int(key) + 1, 1
    if isinstance(size, int):
        start, end, step = key.indices(size)
        return start, -largest if end < 0 else end, step
    step = key.step or 1
    default = (0, largest) if step > 0 else (largest, -largest)
    start, end = (
        given if given is not None else other
        for given, other in zip((key.start, key.stop), default, strict=True)
    )
    return start, end, step


def _concatenate(values: Values, operation: Operation) -> None:
    g, axis = values.builder, operation.primitive.axis  # type: ignore[attr-defined]
    if len(operation.shape) == 4 and all(values.has_first(name) for name in operation.inputs):
        inputs = [values.first(name) for name in operation.inputs]
        y = g.add("Concat", *inputs, axis=(0, 2, 3, 1)[axis])
        values.set_first(operation, y)
    else:
        inputs = [values.last(name) for name in operation.inputs]
        values.set_last(operation, g.add("Concat", *inputs, axis=axis))


def _pad(values: Values, operation: Operation) -> None:
    g, p = values.builder, operation.primitive
    widths, value = list(p.widths), g.scalar(p.value)  # type: ignore[attr-defined]
    (x,) = operation.inputs
    images = len(widths) == 4 and values.has_first(x)
    if images:
        widths = [widths[axis] for axis in (0, 3, 1, 2)]
    pads = g.constant(np.array(widths, np.int64).T.ravel())
    if images:
        values.set_first(operation, g.add("Pad", values.first(x), pads, value))
    else:
        values.set_last(operation, g.add("Pad", values.last(x), pads, value))


def _gather(values: Values, operation: Operation) -> None:
    g, (x, *indices) = values.builder, operation.inputs
    axis = g.constant(np.array([-1], np.int64))
    columns = [g.add("Unsqueeze", _integers(values, index), axis) for index in indices]
    at = g.add("Concat", *columns, axis=-1)
    values.set_last(operation, g.add("GatherND", values.last(x), at))


def _pick(values: Values, operation: Operation) -> None:
    g, (x, index) = values.builder, operation.inputs
    axis = g.constant(np.array([1], np.int64))
    at = g.add("Unsqueeze", _integers(values, index), axis)
    picked = g.add("GatherElements", values.last(x), at, axis=1)
    values.set_last(operation, g.add("Squeeze", picked, axis))


def _integers(values: Values, name: str) -> str:
    array = values.constant(name)
    if array is None:
        return values.builder.cast(values.last(name), np.int64)
    return values.builder.constant(array.astype(np.int64), values.named(name))


def _interpolate(values: Values, operation: Operation) -> None:
    g, p = values.builder, operation.primitive
    axis, factor = p.axis, p.factor  # type: ignore[attr-defined]
    scales = np.ones(4, np.float32)
    scales[(0, 2, 3, 1)[axis]] = factor
    y = g.add(
        "Resize",
        values.first(operation.inputs[0]),
        "",
        g.constant(scales, dtype=np.float32),
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )
    values.set_first(operation, y)


OTHERS: dict[str, Callable[[Values, Operation], None]] = {
    "Affine": _affine,
    "Matmul": _on_last("MatMul"),
    "FeatureProduct": _on_last("Einsum", equation="ndi,dio->ndo"),
    "Convolution": _convolution,
    "ConvolutionBlock": _convolution_block,
    "Depthwise": _depthwise,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global_pool("GlobalAveragePool"),
    "GlobalMaxPool": _global_pool("GlobalMaxPool"),
    "Normalize": _normalize,
    "NormalizeRows": _normalize_rows,
    "NormalizeGroups": _normalize_groups,
    "Softmax": _on_last("Softmax", axis=-1),
    "LogSoftmax": _on_last("LogSoftmax", axis=-1),
    "LogSumExp": _reduction("ReduceLogSumExp"),
    "Sum": _reduction("ReduceSum"),
    "Max": _reduction("ReduceMax"),
    "Min": _reduction("ReduceMin"),
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Slice": _slice,
    "Concatenate": _concatenate,
    "Pad": _pad,
    "Gather": _gather,
    "Pick": _pick,
    "Interpolate": _interpolate,
}
