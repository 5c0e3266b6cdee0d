"""nettrain's layers of rows of numbers, and those for any rows, in PyTorch."""

import math

import torch
from against.pytorch.activations import activation
from against.pytorch.places import Place, Tensor
from torch.nn import functional as F


def dense(layer, x: Tensor, place: Place) -> Tensor:
    b = place.get("b")
    if layer.parametrization == "ntk":
        y = F.linear(x, place["w"].mT) / math.sqrt(x.shape[1])
        return y if b is None else y + b
    return F.linear(x, place["w"].mT, b)


def apply_activation(layer, x: Tensor, place: Place) -> Tensor:
    return activation(layer.function, x, place)


def parametric_activation(layer, x: Tensor, place: Place) -> Tensor:
    return x + place["a"] * (activation(layer.function, x, place) - x)


def feature_scale(layer, x: Tensor, place: Place) -> Tensor:
    return x * place["s"]


def dropout(layer, x: Tensor, place: Place) -> Tensor:
    if layer.rate == 0 or not place.mode.training:
        return x
    rate = place.mode.number(layer.rate)
    return torch.where(place.random(tuple(x.shape), "uniform") >= rate, x / (1 - rate), 0)


def gaussian_noise(layer, x: Tensor, place: Place) -> Tensor:
    if layer.deviation == 0 or not place.mode.training:
        return x
    return x + place.mode.number(layer.deviation) * place.random(tuple(x.shape), "normal")


def flatten(layer, x: Tensor, place: Place) -> Tensor:
    return x.flatten(1)


def reshape(layer, x: Tensor, place: Place) -> Tensor:
    return x.reshape(len(x), *layer.shape)


def probe(layer, x: Tensor, place: Place) -> Tensor:
    return x


LAYERS = {
    "dense": dense,
    "activation": apply_activation,
    "parametric_activation": parametric_activation,
    "feature_scale": feature_scale,
    "dropout": dropout,
    "gaussian_noise": gaussian_noise,
    "flatten": flatten,
    "reshape": reshape,
    "probe": probe,
}
