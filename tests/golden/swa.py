"""Makes swa.npz: what PyTorch's stochastic weight averaging reaches, float64. Made with PyTorch 2.13.0, NumPy 2.4.6.

Run it in an environment with PyTorch: `python tests/golden/swa.py`. The tests read the file only.

The network is x w1 + b1, batch norm, tanh, h w2 + b2; SGD on the mean squared error of batches of 5 rows in their order; the weights at the
ends of epochs 3 and 5 of 6 are averaged by AveragedModel, then update_bn computes the statistics anew.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn


def weights(model: nn.Sequential) -> dict[str, np.ndarray]:
    first, norm, _, last = model
    found = {"w1": first.weight.T, "b1": first.bias, "gamma": norm.weight, "beta": norm.bias}
    found |= {"w2": last.weight.T, "b2": last.bias}
    found |= {"mean": norm.running_mean, "variance": norm.running_var}
    return {name: one.detach().numpy().copy() for name, one in found.items()}


def main() -> None:
    torch.manual_seed(3)
    torch.set_default_dtype(torch.float64)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1))
    arrays = {f"start.{name}": one for name, one in weights(model).items()}
    x, y = torch.randn(15, 3), torch.randn(15, 1)
    batches = [(x[i : i + 5], y[i : i + 5]) for i in (0, 5, 10)]
    average, optimizer = AveragedModel(model), torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(1, 7):
        for rows, targets in batches:
            optimizer.zero_grad()
            ((model(rows) - targets) ** 2).mean().backward()
            optimizer.step()
        if epoch in (3, 5):
            average.update_parameters(model)
    update_bn([rows for rows, _ in batches], average)
    average.eval()
    arrays |= {f"end.{name}": one for name, one in weights(average.module).items()}
    outputs = average(x).detach().numpy()
    path = Path(__file__).with_suffix(".npz")
    np.savez_compressed(path, x=x.numpy(), y=y.numpy(), outputs=outputs, **arrays)


if __name__ == "__main__":
    main()
