"""nettrain's normalizations in PyTorch. Rows of k members (n, k, c) have k c channels."""

import torch
from against.pytorch.places import Place, Tensor
from torch.nn import functional as F


def channels_second(x: Tensor) -> Tensor:
    return x.flatten(1) if x.ndim == 3 else x.movedim(-1, 1).contiguous()


def as_before(y: Tensor, x: Tensor) -> Tensor:
    return y.reshape(x.shape) if x.ndim == 3 else y.movedim(1, -1)


def batch_norm(layer, x: Tensor, place: Place) -> Tensor:
    rows = channels_second(x)
    gamma, beta = place["gamma"].flatten(), place["beta"].flatten()
    mean, variance = place["mean"].flatten(), place["variance"].flatten()  # views: they are kept
    if not (place.mode.training and layer.trainable):
        return as_before(
            F.batch_norm(rows, mean, variance, gamma, beta, False, 0, layer.epsilon), x
        )
    axes = [0, *range(2, rows.ndim)]
    if rows.numel() == rows.shape[1]:  # one number per channel, which PyTorch refuses
        y = (rows - rows.mean(axes, keepdim=True)) * gamma.view(1, -1, *(1,) * (rows.ndim - 2))
        return as_before(y / layer.epsilon**0.5 + beta.view(1, -1, *(1,) * (rows.ndim - 2)), x)
    with torch.no_grad():
        place.mode.moments[place.path] = (rows.mean(axes), rows.var(axes))
    y = F.batch_norm(rows, mean, variance, gamma, beta, True, layer.momentum, layer.epsilon)
    return as_before(y, x)


def layer_norm(layer, x: Tensor, place: Place) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], eps=layer.epsilon) * place["gamma"] + place["beta"]


def group_norm(layer, x: Tensor, place: Place) -> Tensor:
    """By layer_norm of the groups: the backward pass of PyTorch 2.13's own group_norm crashes at times."""
    members = x.shape[1] if x.ndim == 3 else 1
    rows = channels_second(x)
    groups = rows.reshape(len(rows), members * layer.groups, -1)
    y = F.layer_norm(groups, groups.shape[-1:], eps=layer.epsilon).reshape(rows.shape)
    axes = (1, -1, *(1,) * (rows.ndim - 2))
    return as_before(y * place["gamma"].reshape(axes) + place["beta"].reshape(axes), x)


LAYERS = {"batch_norm": batch_norm, "layer_norm": layer_norm, "group_norm": group_norm}
