"""nettrain's layers of images in PyTorch, whose channels come second."""

import math

import torch
from against.pytorch.places import Place, Tensor
from torch.nn import functional as F


def both(size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else tuple(size)


def surrounded(x: Tensor, layer, kernel, dilation, value: float) -> Tensor:
    """Channels-second images with the padding of a layer around them."""
    kernel, dilation = both(kernel), both(dilation)
    stride = both(kernel if layer.stride is None else layer.stride)
    if layer.padding == "valid":
        return x
    if layer.padding == "same":
        sides = []
        for size, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True):
            needed = (math.ceil(size / s) - 1) * s + (k - 1) * d + 1
            missing = max(needed - size, 0)
            sides.append((missing // 2, missing - missing // 2))
    else:
        sides = [(n, n) for n in both(layer.padding)]
    (top, bottom), (left, right) = sides
    return F.pad(x, (left, right, top, bottom), value=value)


def channels_last(function):
    """A function of channels-second images, given channels last."""

    def wrapped(layer, x: Tensor, place: Place) -> Tensor:
        return function(layer, x.movedim(-1, 1).contiguous(), place).movedim(1, -1)

    return wrapped


def filters(w: Tensor) -> Tensor:
    """(h, w, i, o) in PyTorch's order."""
    return w.permute(3, 2, 0, 1)


def convolved(layer, x: Tensor, place: Place, groups: int) -> Tensor:
    """The convolution of channels-second images."""
    x = surrounded(x, layer, layer.kernel, layer.dilation, 0.0)
    stride, dilation = both(layer.stride), both(layer.dilation)
    return F.conv2d(x, filters(place["w"]), place.get("b"), stride, 0, dilation, groups)


@channels_last
def conv(layer, x: Tensor, place: Place) -> Tensor:
    return convolved(layer, x, place, layer.groups)


@channels_last
def depthwise_conv(layer, x: Tensor, place: Place) -> Tensor:
    return convolved(layer, x, place, x.shape[1])


@channels_last
def separable_conv(layer, x: Tensor, place: Place) -> Tensor:
    channels = x.shape[1]
    x = surrounded(x, layer, layer.kernel, layer.dilation, 0.0)
    stride, dilation = both(layer.stride), both(layer.dilation)
    y = F.conv2d(x, filters(place["depthwise"]), None, stride, 0, dilation, channels)
    return F.conv2d(y, filters(place["pointwise"]), place.get("b"))


@channels_last
def max_pool(layer, x: Tensor, place: Place) -> Tensor:
    x = surrounded(x, layer, layer.size, 1, -math.inf)
    return F.max_pool2d(x, both(layer.size), both(layer.stride or layer.size))


@channels_last
def average_pool(layer, x: Tensor, place: Place) -> Tensor:
    size, stride = both(layer.size), both(layer.stride or layer.size)
    counts = surrounded(torch.ones_like(x), layer, layer.size, 1, 0.0)
    sums = surrounded(x, layer, layer.size, 1, 0.0)
    return F.avg_pool2d(sums, size, stride) / F.avg_pool2d(counts, size, stride)


@channels_last
def upsample(layer, x: Tensor, place: Place) -> Tensor:
    down, across = both(layer.factor)
    size = (x.shape[2] * down, x.shape[3] * across)
    if layer.method == "nearest":
        return F.interpolate(x, size, mode="nearest")
    return F.interpolate(x, size, mode="bilinear", align_corners=False)


@channels_last
def zero_pad(layer, x: Tensor, place: Place) -> Tensor:
    padding = layer.padding
    sides = [padding, padding] if isinstance(padding, int) else padding
    (top, bottom), (left, right) = (both(side) for side in sides)
    return F.pad(x, (left, right, top, bottom))


def global_average_pool(layer, x: Tensor, place: Place) -> Tensor:
    return F.adaptive_avg_pool2d(x.movedim(-1, 1).contiguous(), 1).flatten(1)


def global_max_pool(layer, x: Tensor, place: Place) -> Tensor:
    return F.adaptive_max_pool2d(x.movedim(-1, 1).contiguous(), 1).flatten(1)


def spatial_dropout(layer, x: Tensor, place: Place) -> Tensor:
    rate = place.mode.number(layer.rate) if place.mode.training else 0
    if layer.rate == 0 or not place.mode.training:
        return x
    n, *places, c = x.shape
    u = place.random((n, *(1 for _ in places), c), "uniform")
    return torch.where(u >= rate, x / (1 - rate), 0)


LAYERS = {
    "conv": conv,
    "depthwise_conv": depthwise_conv,
    "separable_conv": separable_conv,
    "max_pool": max_pool,
    "average_pool": average_pool,
    "upsample": upsample,
    "zero_pad": zero_pad,
    "global_average_pool": global_average_pool,
    "global_max_pool": global_max_pool,
    "spatial_dropout": spatial_dropout,
}
