"""A network layer by layer: shapes, receptive fields, parameters, FLOPs and memory."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nettrain.nn.bound_layer import BoundLayer
from nettrain.nn.composite import Composite
from nettrain.nn.parameter import Shape
from nettrain.nn.receptive_field import ReceptiveField


@dataclass(frozen=True)
class LayerSummary:
    """What is known of a layer before training.

    Attributes:
        path: `dense_1`; of a layer inside a layer `residual_1.dense_1`.
        name: the path without the layer that it is in.
        type: its YAML name.
        output_shape: of one row.
        receptive_field: height and width, in pixels of the input image, that one output pixel
            depends on; None: there is no image.
        parameters: number of trained values, with those of the layers inside.
        flops: multiplications and additions per row, with those of the layers inside.
        values: number of outputs per row, with those of the layers inside.
        inside: the layers inside.
    """

    path: str
    name: str
    type: str
    output_shape: Shape
    receptive_field: tuple[int, int] | None
    parameters: int
    flops: int
    values: int
    inside: "tuple[LayerSummary, ...]" = ()


def summarize(layers: Sequence[BoundLayer], shape: Shape) -> list[LayerSummary]:
    """Returns a summary per layer.

    Args:
        layers: of the network.
        shape: of one input row. A table that is reshaped counts as images from there on.
    """
    return _summarize(layers, "", _Seen(shape, ReceptiveField()) if len(shape) == 3 else None)


@dataclass(frozen=True)
class _Seen:
    """The receptive field so far, on images of this shape."""

    image: Shape
    field: ReceptiveField


def _summarize(layers: Sequence[BoundLayer], path: str, seen: _Seen | None) -> list[LayerSummary]:
    summaries = []
    for bound in layers:
        layer, full = bound.layer, f"{path}.{bound.name}" if path else bound.name
        branches = layer.bind_branches(bound.input_shape) if isinstance(layer, Composite) else []
        inside = tuple(row for branch in branches for row in _summarize(branch, full, seen))
        if seen is not None:
            seen = _Seen(seen.image, seen.field.then(layer.receptive_field(bound.input_shape)))
        elif len(bound.output_shape) == 3:
            seen = _Seen(bound.output_shape, ReceptiveField())
        summaries.append(
            LayerSummary(
                path=full,
                name=bound.name,
                type=layer.name(),
                output_shape=bound.output_shape,
                receptive_field=None if seen is None else seen.field.within(*seen.image[:2]),
                parameters=bound.size,
                flops=layer.flops(bound.input_shape),
                values=math.prod(bound.output_shape) + sum(row.values for row in inside),
                inside=inside,
            )
        )
    return summaries
