"""Layers without their random operations: a step depends on weights and rows alone."""

import dataclasses
from typing import Any

from nettrain.nn.bound_layer import BoundLayer
from nettrain.nn.layer import Layer

# The fields, by the name of the layer, that turn its random numbers off.
_OFF: dict[str, dict[str, float]] = {
    "dropout": {"rate": 0.0},
    "spatial_dropout": {"rate": 0.0},
    "gaussian_noise": {"deviation": 0.0},
}


def without_noise(bound: BoundLayer) -> BoundLayer:
    """The layer at its place, with the same names and parameters, and no dropout or noise in it."""
    return dataclasses.replace(bound, layer=_quiet(bound.layer))


def _quiet(value: Any) -> Any:
    """A layer without its noise and that of the layers in its fields; other values as they are."""
    if isinstance(value, tuple):
        return tuple(_quiet(item) for item in value)
    if not isinstance(value, Layer) or not dataclasses.is_dataclass(value):
        return value
    inside = {
        field.name: _quiet(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if isinstance(getattr(value, field.name), Layer | tuple)
    }
    return value.replace(**(inside | _OFF.get(value.name(), {})))
