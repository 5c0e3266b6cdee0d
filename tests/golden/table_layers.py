"""Layers and schedules for tables as their authors compute them, in float64, for tests/schedules and
tests/nn.

Made with pytabkit 1.7.3 and rtdl_num_embeddings 0.0.12 on PyTorch 2.13; run it where these are installed:
`python tests/golden/table_layers.py`. The tests read the file only.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from pytabkit.models.nn_models.activations import ParametricActivationLayer
from pytabkit.models.nn_models.base import BiasLayer, ScaleLayer, Variable, WeightLayer
from pytabkit.models.nn_models.nn import PLREmbeddingsFactory, PLREmbeddingsLayerCosBias
from pytabkit.models.training.scheduling import LearnerProgress, get_schedule
from rtdl_num_embeddings import PeriodicEmbeddings, PiecewiseLinearEmbeddings, compute_bins

STEPS, ROWS, FEATURES, UNITS = 200, 17, 4, 5
FREQUENCIES, BINS = 3, 6


def factors(name):
    """What multiplies the base rate in each of 200 steps."""
    schedule, progress, found = get_schedule(name), LearnerProgress(), []
    progress.max_epochs = 1
    for step in range(STEPS):
        progress.epoch_float = step / STEPS
        schedule.update(SimpleNamespace(progress=progress))
        found.append(schedule.get_value())
    return np.array(found)


def layers():
    """By name, what computes y from x and from weights of these shapes."""
    selu, mish = torch.selu, torch.nn.functional.mish
    return {
        "scale": (lambda x, scale: ScaleLayer(scale).forward_cont(x), {"scale": (1, FEATURES)}),
        "ntk": (
            lambda x, weight, bias: BiasLayer(bias).forward_cont(
                WeightLayer(weight, factor=FEATURES**-0.5).forward_cont(x)
            ),
            {"weight": (FEATURES, UNITS), "bias": (1, UNITS)},
        ),
        "selu": (
            lambda x, weight: ParametricActivationLayer(selu, weight).forward_cont(x),
            {"weight": (1, FEATURES)},
        ),
        "mish": (
            lambda x, weight: ParametricActivationLayer(mish, weight).forward_cont(x),
            {"weight": (1, FEATURES)},
        ),
    }


def pbld(x, q, r, w, b):
    """RealMLP's embedding, with x in front of the other numbers of its feature."""
    layer = PLREmbeddingsLayerCosBias(PLREmbeddingsFactory(), q, r, w, b, "linear")
    embedded = layer.forward_cont(x).reshape(len(x), FEATURES, -1)
    return torch.cat([x[..., None], embedded], dim=-1).flatten(1)


def module(inner):
    """What computes y from x and the weights of a module, named with `__` for dots."""

    def function(x, **weights):
        named = {name.replace("__", "."): weight for name, weight in weights.items()}
        return torch.func.functional_call(inner, named, x).flatten(1)

    shapes = {name.replace(".", "__"): tuple(p.shape) for name, p in inner.named_parameters()}
    return function, shapes


def embeddings(x):
    """By name, what computes y from x and from weights of these shapes, and the knots."""
    d, k, o = FEATURES, FREQUENCIES, UNITS
    options = {"n_frequencies": k, "d_embedding": o}
    knots = compute_bins(torch.tensor(x), BINS)
    linear = PiecewiseLinearEmbeddings(knots, o, activation=False, version="B")
    bent = PiecewiseLinearEmbeddings(knots, o, activation=True, version="B")
    found = {
        "pbld": (pbld, {"q": (d, 1, k), "r": (d, 1, k), "w": (d, k, o - 1), "b": (d, 1, o - 1)}),
        "plr": module(PeriodicEmbeddings(d, lite=False, **options)),
        "plr_lite": module(PeriodicEmbeddings(d, lite=True, **options)),
        "piecewise": module(linear),
        "piecewise_relu": module(bent),
    }
    return found, torch.stack(knots).numpy()


def forward_and_backward(name, function, shapes, x, chance):
    """Weights, outputs, and gradients of sum(dy y)."""
    weights = {
        key: Variable(torch.tensor(chance.normal(size=shape))) for key, shape in shapes.items()
    }
    y = function(torch.tensor(x), **weights)
    dy = chance.normal(size=tuple(y.shape))
    (y * torch.tensor(dy)).sum().backward()
    found = {f"{name}_y": y.detach().numpy(), f"{name}_dy": dy}
    for key, weight in weights.items():
        found[f"{name}_{key}"] = weight.detach().numpy()
        found[f"{name}_d{key}"] = weight.grad.numpy()
    return found


def main():
    torch.set_default_dtype(torch.float64)
    arrays = {f"schedule_{name}": factors(name) for name in ("coslog4", "flat_cos")}
    chance = np.random.Generator(np.random.PCG64(21))
    arrays["x"] = chance.normal(size=(ROWS, FEATURES))
    parts, arrays["knots"] = embeddings(arrays["x"])
    for name, (function, shapes) in (layers() | parts).items():
        arrays |= forward_and_backward(name, function, shapes, arrays["x"], chance)
    np.savez_compressed(Path(__file__).with_suffix(".npz"), **arrays)


if __name__ == "__main__":
    main()
