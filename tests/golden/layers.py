"""Makes layers.npz: activations and layers of PyTorch in float64, forward and backward, in training and in evaluation.

Run it with an interpreter that has torch 2.13.0: `python tests/golden/layers.py`. The tests only read layers.npz.

Arrays of an activation: `activation elu/x`, /y, /dy, /dx; of prelu also /slope and /dslope.
Arrays of a layer or network: `layer batch_norm/x` (batches, rows, ...), /dy, /y, /dx in training, batch after batch; each parameter,
its gradients /dgamma (batches, ...); arrays of state /mean (batches, ...) as they are after each batch; then in evaluation /eval_y and
/eval_dx of the first batch. Images are channels last.
"""

import platform
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

BATCHES = 4
torch.set_default_dtype(torch.float64)


def array(tensor):
    return tensor.detach().numpy().copy()


X = np.concatenate([np.linspace(-6, 6, 25), [-0.0, 1e-8, -1e-8, 20.0, -20.0]]).reshape(6, 5)
ACTIVATIONS = {
    "elu": lambda x: F.elu(x, alpha=0.7),
    "gelu": F.gelu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "mish": F.mish,
    "relu": F.relu,
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "softmax": lambda x: torch.softmax(x, -1),
    "softplus": lambda x: F.softplus(x, threshold=1000),
    "softsign": F.softsign,
    "tanh": torch.tanh,
}


def activation(f, generator, **parameters):
    x, dy = torch.tensor(X, requires_grad=True), torch.tensor(generator.normal(size=X.shape))
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    y = f(x, **leaves)
    y.backward(dy)
    found = {"x": X, "y": array(y), "dy": array(dy), "dx": array(x.grad)}
    return (
        found
        | {name: array(leaf) for name, leaf in leaves.items()}
        | {f"d{name}": array(leaf.grad) for name, leaf in leaves.items()}
    )


class ChannelsLast(nn.Module):
    """A module of channels second, given channels last."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x.movedim(-1, 1)).movedim(1, -1)


class Residual(nn.Module):
    """y = x + f(x)."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(x)


class Projected(nn.Module):
    """y = p(x) + f(x)."""

    def __init__(self, projection, *layers):
        super().__init__()
        self.projection, self.layers = projection, nn.Sequential(*layers)

    def forward(self, x):
        return self.projection(x) + self.layers(x)


class GlobalPool(nn.Module):
    """Of channels last, one number a channel."""

    def __init__(self, pool):
        super().__init__()
        self.pool = pool

    def forward(self, x):
        return self.pool(x.movedim(-1, 1)).flatten(1)


class Parallel(nn.Module):
    """Branches concatenated."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], dim=-1)


def batch_norm(module, prefix=""):
    parameters = {f"{prefix}gamma": module.weight, f"{prefix}beta": module.bias}
    return parameters, {
        f"{prefix}mean": module.running_mean,
        f"{prefix}variance": module.running_var,
    }


def linear(module, prefix=""):
    return {f"{prefix}w": module.weight} | (
        {} if module.bias is None else {f"{prefix}b": module.bias}
    ), {}


def conv(module, prefix=""):
    return {f"{prefix}w": module.weight} | (
        {} if module.bias is None else {f"{prefix}b": module.bias}
    ), {}


def ours(array):
    """In our order of axes: matrices (i, o), filters (kh, kw, i, o)."""
    return array.permute(2, 3, 1, 0) if array.ndim == 4 else array.mT if array.ndim == 2 else array


def joined(*parts):
    parameters, state = {}, {}
    for own, kept in parts:
        parameters |= own
        state |= kept
    return parameters, state


def cases():
    """Name, module, the shape of a row, its (parameters, state) by our names."""
    table, images = nn.BatchNorm1d(5), nn.BatchNorm2d(4, momentum=0.3, eps=0.01)
    yield "batch_norm", table, (5,), batch_norm(table)
    yield "batch_norm of images", ChannelsLast(images), (2, 3, 4), batch_norm(images)
    norm = nn.LayerNorm(5)
    yield "layer_norm", norm, (5,), ({"gamma": norm.weight, "beta": norm.bias}, {})
    norm = nn.LayerNorm(4, eps=0.01)
    yield "layer_norm of images", norm, (2, 3, 4), ({"gamma": norm.weight, "beta": norm.bias}, {})
    dense = nn.Linear(5, 3)
    yield "dense", dense, (5,), linear(dense)
    first, norm, last = nn.Linear(5, 6, bias=False), nn.BatchNorm1d(6), nn.Linear(6, 3)
    parts = joined(
        linear(first, "dense_1."), batch_norm(norm, "batch_norm_1."), linear(last, "dense_2.")
    )
    yield "mlp", nn.Sequential(first, norm, nn.ReLU(), last), (5,), parts
    first, norm, last = nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Linear(4, 5)
    parts = joined(
        linear(first, "dense_1."), batch_norm(norm, "batch_norm_1."), linear(last, "dense_2.")
    )
    yield "residual", Residual(first, norm, nn.Tanh(), last), (5,), parts
    first, norm = nn.Linear(5, 4), nn.BatchNorm1d(5)
    parts = joined(linear(first, "branch_1.dense_1."), batch_norm(norm, "branch_2.batch_norm_1."))
    yield "parallel", Parallel(nn.Sequential(first, nn.SiLU()), norm, nn.Identity()), (5,), parts
    yield from image_cases()


def image_cases():
    nothing = {}, {}
    yield "max_pool", ChannelsLast(nn.MaxPool2d(2)), (4, 7, 3), nothing
    pool = nn.MaxPool2d((3, 2), stride=(2, 1), padding=(1, 1))
    yield (
        "max_pool of many equals",
        ChannelsLast(nn.Sequential(nn.ReLU(), pool)),
        (5, 4, 2),
        nothing,
    )
    yield "average_pool", ChannelsLast(nn.AvgPool2d(2)), (4, 7, 3), nothing
    pool = nn.AvgPool2d((3, 2), stride=(2, 1), padding=(1, 1), count_include_pad=False)
    yield "average_pool with padding", ChannelsLast(pool), (5, 4, 2), nothing
    yield (
        "global_max_pool of many equals",
        GlobalPool(nn.Sequential(nn.ReLU(), nn.AdaptiveMaxPool2d(1))),
        (2, 1, 3),
        nothing,
    )
    yield "global_average_pool", GlobalPool(nn.AdaptiveAvgPool2d(1)), (3, 4, 2), nothing
    norm = nn.GroupNorm(2, 4, eps=0.01)
    yield (
        "group_norm",
        ChannelsLast(norm),
        (2, 3, 4),
        ({"gamma": norm.weight, "beta": norm.bias}, {}),
    )
    norm = nn.GroupNorm(3, 6)
    yield "group_norm of a table", norm, (6,), ({"gamma": norm.weight, "beta": norm.bias}, {})
    yield (
        "upsample",
        ChannelsLast(nn.Upsample(scale_factor=(2, 3), mode="nearest")),
        (3, 2, 2),
        nothing,
    )
    yield (
        "upsample bilinear",
        ChannelsLast(nn.Upsample(scale_factor=(2, 3), mode="bilinear")),
        (3, 4, 2),
        nothing,
    )
    yield "zero_pad", ChannelsLast(nn.ZeroPad2d((3, 0, 1, 2))), (2, 3, 2), nothing
    first, norm = nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
    parts = joined(conv(first, "conv_1."), batch_norm(norm, "batch_norm_1."))
    yield (
        "block",
        ChannelsLast(nn.Sequential(first, norm, nn.ReLU(), nn.MaxPool2d(2))),
        (4, 6, 2),
        parts,
    )
    first, norm, last = (
        nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.Conv2d(4, 4, 3, padding=1, bias=False),
    )
    projection, shift, middle = (
        nn.Conv2d(3, 4, 1, stride=2, bias=False),
        nn.BatchNorm2d(4),
        nn.BatchNorm2d(4),
    )
    parts = joined(
        conv(first, "conv_1."), batch_norm(middle, "batch_norm_1."), conv(last, "conv_2."), batch_norm(norm, "batch_norm_2."),
        conv(projection, "projection.conv_1."), batch_norm(shift, "projection.batch_norm_1."),
    )  # fmt: skip
    yield (
        "residual with a projection",
        ChannelsLast(
            Projected(nn.Sequential(projection, shift), first, middle, nn.ReLU(), last, norm)
        ),
        (5, 6, 3),
        parts,
    )


def layer(module, shape, parameters, state, generator):
    with torch.no_grad():
        for parameter in parameters.values():
            parameter.copy_(torch.tensor(generator.normal(size=parameter.shape)))
    x = generator.normal(1, 2, size=(BATCHES, 7, *shape))
    module.train()
    dy = generator.normal(size=(BATCHES, *module(torch.tensor(x[0])).shape))
    for name, kept in state.items():  # as if that call had not been
        kept.fill_(1.0 if name.endswith("variance") else 0.0)
    found = {"x": x, "dy": dy} | {name: array(ours(p)) for name, p in parameters.items()}
    steps = []
    for batch, gradient in zip(x, dy, strict=True):
        steps.append(step(module, batch, gradient, parameters, state))
    found |= {name: np.stack([one[name] for one in steps]) for name in steps[0]}
    module.eval()
    evaluated = step(module, x[0], dy[0], parameters, state)
    return found | {"eval_y": evaluated["y"], "eval_dx": evaluated["dx"]}


def step(module, batch, gradient, parameters, state):
    module.zero_grad()
    leaf = torch.tensor(batch, requires_grad=True)
    y = module(leaf)
    y.backward(torch.tensor(gradient))
    found = {"y": array(y), "dx": array(leaf.grad)}
    found |= {f"d{name}": array(ours(p.grad)) for name, p in parameters.items()}
    return found | {name: array(kept) for name, kept in state.items()}


def everything():
    generator = np.random.default_rng(5)
    for name, f in ACTIVATIONS.items():
        yield f"activation {name}", activation(f, generator)
    yield (
        "activation prelu",
        activation(lambda x, slope: F.prelu(x, slope), generator, slope=np.array([0.25])),
    )
    yield (
        "activation prelu of channels",
        activation(lambda x, slope: F.prelu(x, slope), generator, slope=generator.normal(size=5)),
    )
    for name, module, shape, (parameters, state) in cases():
        yield f"layer {name}", layer(module, shape, parameters, state, generator)


np.savez_compressed(
    Path(__file__).with_suffix(".npz"),
    made_by=f"tests/golden/layers.py, PyTorch {torch.__version__}, NumPy {np.__version__}, Python {platform.python_version()}",
    **{f"{case}/{name}": found for case, arrays in everything() for name, found in arrays.items()},
)
