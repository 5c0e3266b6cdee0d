"""The ONNX form of operations on images: convolutions, pools, padding, interpolation."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nettrain.export.inference_graph import Operation
from nettrain.export.onnx.elementwise import apply
from nettrain.export.onnx.network import Values


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
        y = apply(values.builder, p.activation, y)
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


IMAGES: dict[str, Callable[[Values, Operation], None]] = {
    "Convolution": _convolution,
    "ConvolutionBlock": _convolution_block,
    "Depthwise": _depthwise,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global_pool("GlobalAveragePool"),
    "GlobalMaxPool": _global_pool("GlobalMaxPool"),
    "Pad": _pad,
    "Interpolate": _interpolate,
}
