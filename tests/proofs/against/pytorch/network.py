"""The function of a whole network in PyTorch, layer by layer, from nettrain's weights."""

from collections import Counter
from collections.abc import Sequence
from functools import reduce

import torch
from against.pytorch import images, normalizations, rows, tables
from against.pytorch.places import Place, Tensor


def forward(layers: Sequence, x: Tensor, place: Place) -> Tensor:
    """The output of layers one after the other, each with its name: its type and a number."""
    counts: Counter[str] = Counter()
    for layer in layers:
        name = layer.name()
        counts[name] += 1
        x = LAYERS[name](layer, x, place.inside(f"{name}_{counts[name]}"))
    return x


def residual(layer, x: Tensor, place: Place) -> Tensor:
    """x + f(x), or p(x) + f(x) where there are weights of a projection."""
    y = forward(layer.layers, x, place)
    projection = place.inside("projection")
    shortcut, conv, dense = x, projection.inside("conv_1"), projection.inside("dense_1")
    if conv.get("w") is not None:
        steps = []
        for size, out in zip(x.shape[1:3], y.shape[1:3], strict=True):
            steps.append(next(s for s in range(1, size + 1) if len(range(0, size, s)) == out))
        shortcut = x[:, :: steps[0], :: steps[1]] @ conv["w"][0, 0]
    elif dense.get("w") is not None:
        shortcut = x @ dense["w"]
    norm = projection.inside("batch_norm_1")
    if norm.get("gamma") is not None:
        shortcut = normalizations.batch_norm(_Defaults, shortcut, norm)
    return shortcut + y


class _Defaults:
    """The batch normalization of a projection: PyTorch's defaults."""

    momentum, epsilon, trainable = 0.1, 1e-5, True


def parallel(layer, x: Tensor, place: Place) -> Tensor:
    outputs = [
        forward(branch, x, place.inside(f"branch_{number}"))
        for number, branch in enumerate(layer.branches, start=1)
    ]
    match layer.merge:
        case "sum":
            return reduce(torch.add, outputs)
        case "product":
            return reduce(torch.mul, outputs)
    return torch.cat(outputs, dim=-1)


def by_columns(layer, x: Tensor, place: Place) -> Tensor:
    codes, indicators = len(layer.cardinalities), layer.indicator_columns or 0
    widths = [x.shape[1] - codes - indicators, indicators, codes]
    branches = [layer.numbers, layer.indicators or (), layer.categories]
    names = ["numbers", "indicators", "categories"]
    found = []
    for name, branch, columns in zip(names, branches, x.split(widths, dim=1), strict=True):
        if columns.shape[1]:
            found.append(forward(branch, columns, place.inside(name)))
    return torch.cat(found, dim=-1)


LAYERS = {
    **rows.LAYERS,
    **images.LAYERS,
    **normalizations.LAYERS,
    **tables.LAYERS,
    "residual": residual,
    "parallel": parallel,
    "by_columns": by_columns,
}
