"""The ONNX form of normalizations."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nettrain.autodiff.primitive import Primitive
from nettrain.export.inference_graph import Operation
from nettrain.export.onnx.elementwise import apply
from nettrain.export.onnx.network import Values


def _normalize(values: Values, operation: Operation) -> None:
    _by_moments(values, operation, operation.primitive, None)


def _normalization_block(values: Values, operation: Operation) -> None:
    block: Any = operation.primitive
    _by_moments(values, operation, block.normalization, block.activation)


def _by_moments(
    values: Values, operation: Operation, normalization: Any, activation: Primitive | None
) -> None:
    """Batch normalization by saved moments, of rows or of images; otherwise its formula."""
    g, (x, moments, gamma, beta) = values.builder, operation.inputs
    saved, epsilon = values.constant(moments), normalization.epsilon

    def activated(y: str) -> str:
        return y if activation is None else apply(g, activation, y)

    ndim = len(operation.shape)
    if saved is not None and ndim in (2, 4):
        mean, variance = (
            g.constant(part, f"{g.prefix}{name}")
            for name, part in zip(("mean", "variance"), saved, strict=True)
        )
        scale = [values.last(gamma), values.last(beta), mean, variance]
        if ndim == 4:
            y = g.add("BatchNormalization", values.first(x), *scale, epsilon=epsilon)
            values.set_first(operation, activated(y))
        else:
            y = g.add("BatchNormalization", values.last(x), *scale, epsilon=epsilon)
            values.set_last(operation, activated(y))
        return
    of_all = values.last(moments)
    mean, variance = (g.add("Gather", of_all, g.constant(np.array(i)), axis=0) for i in (0, 1))
    deviation = g.add("Sqrt", g.add("Add", variance, g.scalar(epsilon)))
    z = g.add("Div", g.add("Sub", values.last(x), mean), deviation)
    y = g.add("Add", g.add("Mul", z, values.last(gamma)), values.last(beta))
    values.set_last(operation, activated(y))


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


NORMALIZATIONS: dict[str, Callable[[Values, Operation], None]] = {
    "Normalize": _normalize,
    "NormalizationBlock": _normalization_block,
    "NormalizeRows": _normalize_rows,
    "NormalizeGroups": _normalize_groups,
}
