"""nettrain's layers for tables in PyTorch: embeddings, and networks of several members."""

import math

import torch
from against.pytorch.places import Place, Tensor
from torch.nn import functional as F


def embedding(layer, x: Tensor, place: Place) -> Tensor:
    found = []
    for j in range(x.shape[1]):
        y = F.embedding(x[:, j].long(), place[f"w_{j + 1}"])
        found.append(y if layer.members is None else y.unflatten(1, (layer.members, -1)))
    return torch.cat(found, dim=-1)


def periodic_embedding(layer, x: Tensor, place: Place) -> Tensor:
    q, w, b = place["q"], place["w"], place["b"]
    found = []
    for j in range(x.shape[1]):
        column = x[:, j : j + 1]
        angle = 2 * math.pi * column * q[j]
        if layer.variant == "pbld":
            y = torch.cos(angle + place["r"][j]) @ w[j] + b[j]
            found.append(torch.cat([column, y], dim=1))
            continue
        features = torch.cat([torch.cos(angle), torch.sin(angle)], dim=1)
        weights, bias = (w, b) if layer.variant == "plr_lite" else (w[j], b[j])
        found.append(torch.relu(features @ weights + bias))
    return torch.cat(found, dim=1)


def piecewise_linear_embedding(layer, x: Tensor, place: Place) -> Tensor:
    """Each feature by itself; a bin that a feature has not has slope 0, and encodes 0."""
    lower, slope = place["lower"], place["slope"]
    found = []
    for j in range(x.shape[1]):
        column = x[:, j : j + 1]
        e = ((column - lower[j]) * slope[j]).clamp(0, 1)
        bent = e @ place["w"][j]
        if layer.activation:
            bent = torch.relu(bent)
        found.append(column * place["u"][j] + place["c"][j] + bent)
    if layer.members is None:
        return torch.cat(found, dim=1)
    of_members = [y.unflatten(1, (layer.members, layer.size)) for y in found]
    return torch.cat(of_members, dim=2)


def members(layer, x: Tensor, place: Place) -> Tensor:
    return torch.stack([x] * layer.count, dim=1)


def packed(layer, x: Tensor, place: Place) -> Tensor:
    w, b = place["w"], place.get("b")
    scale = 1 / math.sqrt(x.shape[2]) if layer.parametrization == "ntk" else 1.0
    found = [(x[:, j] @ w[j]) * scale for j in range(x.shape[1])]
    return torch.stack(found if b is None else [y + b[j] for j, y in enumerate(found)], dim=1)


def batch_ensemble(layer, x: Tensor, place: Place) -> Tensor:
    r, s, b = (place.get(name) for name in "rsb")
    found = []
    for j in range(x.shape[1]):
        y = x[:, j] if r is None else x[:, j] * r[j]
        y = F.linear(y, place["w"].mT)
        y = y if s is None else y * s[j]
        if b is not None:
            y = y + (b if b.ndim == 1 else b[j])
        found.append(y)
    return torch.stack(found, dim=1)


def mean_of_members(layer, x: Tensor, place: Place) -> Tensor:
    if place.mode.training:
        return x
    k = math.log(x.shape[1])
    match layer.of:
        case "softmax":
            return torch.logsumexp(F.log_softmax(x, dim=2), dim=1) - k
        case "sigmoid":  # ln of the mean of p, less that of the mean of 1 - p
            yes, no = F.logsigmoid(x), F.logsigmoid(-x)
            return torch.logsumexp(yes, dim=1) - torch.logsumexp(no, dim=1)
        case "exponential":
            return torch.logsumexp(x, dim=1) - k
    return x.mean(dim=1)


LAYERS = {
    "embedding": embedding,
    "periodic_embedding": periodic_embedding,
    "piecewise_linear_embedding": piecewise_linear_embedding,
    "members": members,
    "packed": packed,
    "batch_ensemble": batch_ensemble,
    "mean_of_members": mean_of_members,
}
