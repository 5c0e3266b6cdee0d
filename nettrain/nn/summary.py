"""A network layer by layer, those inside layers too: shapes, what a place sees of the image, parameters, work, memory."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nettrain.nn.bound_layer import BoundLayer
from nettrain.nn.composite import Composite
from nettrain.nn.parameter import Shape
from nettrain.nn.receptive_field import ReceptiveField


@dataclass(frozen=True)
class LayerSummary:
    """What is told of a layer before anything is trained.

    path             `dense_1`; of a layer inside a layer `residual_1.dense_1`; name: without the layer that it is in
    receptive_field  height and width of the rectangle of the input image on which a place of the output depends; None: there is no image
    parameters, flops, values  numbers that it trains, multiplications and additions, numbers that it gives, the last two for one row,
                     all of them with those of the layers inside
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
    """Of layers for rows of this shape. A table that is reshaped counts as images from there on."""
    return _summarize(layers, "", _Seen(shape, ReceptiveField()) if len(shape) == 3 else None)


@dataclass(frozen=True)
class _Seen:
    """Of images of this shape."""

    image: Shape
    field: ReceptiveField


def _summarize(layers: Sequence[BoundLayer], path: str, seen: _Seen | None) -> list[LayerSummary]:
    found = []
    for one in layers:
        layer, full = one.layer, f"{path}.{one.name}" if path else one.name
        ways = layer.bind_branches(one.input_shape) if isinstance(layer, Composite) else []
        inside = tuple(row for way in ways for row in _summarize(way, full, seen))
        if seen is not None:
            seen = _Seen(seen.image, seen.field.then(layer.receptive_field(one.input_shape)))
        elif len(one.output_shape) == 3:
            seen = _Seen(one.output_shape, ReceptiveField())
        values = math.prod(one.output_shape) + sum(row.values for row in inside)
        sight = None if seen is None else seen.field.within(*seen.image[:2])
        found.append(
            LayerSummary(
                full,
                one.name,
                layer.name(),
                one.output_shape,
                sight,
                one.size,
                layer.flops(one.input_shape),
                values,
                inside,
            )
        )
    return found
