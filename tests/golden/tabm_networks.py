"""Networks of members as their authors compute them, in float64, for tests/nn/test_members.py.

Made with tabm 0.0.3 and rtdl_num_embeddings 0.0.12 on PyTorch 2.13; run it where these are installed:
`python tests/golden/tabm_networks.py`. The test reads the file only.
"""

from pathlib import Path

import numpy as np
import torch
from rtdl_num_embeddings import PeriodicEmbeddings, PiecewiseLinearEmbeddings, compute_bins
from tabm import TabM
from torch.nn.functional import cross_entropy

ROWS, FEATURES, CLASSES, MEMBERS, WIDTH, BINS, SIZE = 17, 4, 3, 3, 5, 6, 2


def networks(x):
    """By name: TabM in all its forms, at default settings but for its sizes and without dropout."""
    knots = compute_bins(x, BINS)

    def piecewise():
        return PiecewiseLinearEmbeddings(knots, SIZE, activation=False, version="B")

    periodic = PeriodicEmbeddings(FEATURES, SIZE, n_frequencies=3, lite=False)
    sizes = {"n_num_features": FEATURES, "d_out": CLASSES, "k": MEMBERS, "d_block": WIDTH}
    forms = {
        "full": {},
        "full_piecewise": {"num_embeddings": piecewise()},
        "full_periodic": {"num_embeddings": periodic},
        "mini": {"arch_type": "tabm-mini"},
        "mini_piecewise": {"arch_type": "tabm-mini", "num_embeddings": piecewise()},
        "packed": {"arch_type": "tabm-packed"},
    }
    return {name: TabM.make(**sizes, dropout=0.0, **form) for name, form in forms.items()}


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(31)
    chance = np.random.Generator(np.random.PCG64(31))
    x, y = chance.normal(size=(ROWS, FEATURES)), chance.integers(CLASSES, size=ROWS)
    arrays = {"x": x, "y": y}
    targets = torch.tensor(y).repeat_interleave(MEMBERS)
    for name, network in networks(torch.tensor(x)).items():
        for weight in network.parameters():  # nothing as it starts
            weight.data = torch.tensor(chance.normal(size=tuple(weight.shape)) / 2)
        outputs = network(torch.tensor(x))
        loss = cross_entropy(outputs.flatten(0, 1), targets)
        loss.backward()
        arrays[f"{name}_outputs"] = outputs.detach().numpy()
        arrays[f"{name}_loss"] = loss.detach().numpy()
        arrays[f"{name}_p"] = outputs.detach().softmax(-1).mean(1).numpy()
        for key, weight in network.named_parameters():
            arrays[f"{name}/{key}"] = weight.detach().numpy()
            arrays[f"{name}/d/{key}"] = weight.grad.numpy()
    np.savez_compressed(Path(__file__).with_suffix(".npz"), **arrays)


if __name__ == "__main__":
    main()
