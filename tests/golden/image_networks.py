"""Makes image_networks.npz: LeNet-5 and a small residual network with batch norm, trained for 20 steps by PyTorch in float64.

Run it with an interpreter that has torch 2.13.0: `python tests/golden/image_networks.py`. The tests only read image_networks.npz.

Stochastic gradient descent with momentum 0.9 and a constant rate on the mean cross-entropy. Arrays of a case `lenet5`, by our names and in
our order of axes: `lenet5/x` (steps, rows, h, w, c) bytes, /y (steps, rows), /losses (steps,), /start/conv_1.w ... (float32, exact in
float64), and after the last step /end/conv_1.w ..., running statistics among them.
"""

import platform
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

STEPS, ROWS, CLASSES, RATE = 20, 8, 4, 0.05
torch.set_default_dtype(torch.float64)


class Lenet5(nn.Module):
    """As our preset with relu and max pools, for images 16 x 16."""

    shape = (16, 16, 1)

    def __init__(self):
        super().__init__()
        self.conv_1, self.conv_2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.dense_1, self.dense_2, self.dense_3 = (
            nn.Linear(64, 120),
            nn.Linear(120, 84),
            nn.Linear(84, CLASSES),
        )

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv_1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv_2(x)), 2).movedim(1, -1).flatten(1)
        return self.dense_3(F.relu(self.dense_2(F.relu(self.dense_1(x)))))


class Around(nn.Module):
    """p(x) + f(x), p being a projection where shapes differ."""

    def __init__(self, i, o, stride):
        super().__init__()
        self.conv_1, self.conv_2 = (
            nn.Conv2d(i, o, 3, stride=stride, padding=1, bias=False),
            nn.Conv2d(o, o, 3, padding=1, bias=False),
        )
        self.batch_norm_1, self.batch_norm_2 = nn.BatchNorm2d(o), nn.BatchNorm2d(o)
        self.projection = nn.Module()
        self.projects = i != o
        if self.projects:
            self.projection.conv_1, self.projection.batch_norm_1 = (
                nn.Conv2d(i, o, 1, stride=stride, bias=False),
                nn.BatchNorm2d(o),
            )

    def forward(self, x):
        y = self.batch_norm_2(self.conv_2(F.relu(self.batch_norm_1(self.conv_1(x)))))
        return y + (self.projection.batch_norm_1(self.projection.conv_1(x)) if self.projects else x)


class SmallResnet(nn.Module):
    """As our preset with two blocks a stage and widths 4 and 6, for images 7 x 7: with stride 2 `same` is then one pixel on each side."""

    shape = (7, 7, 3)

    def __init__(self):
        super().__init__()
        self.conv_1, self.batch_norm_1 = (
            nn.Conv2d(3, 4, 3, padding=1, bias=False),
            nn.BatchNorm2d(4),
        )
        self.residual_1, self.residual_2 = Around(4, 4, 1), Around(4, 4, 1)
        self.residual_3, self.residual_4 = Around(4, 6, 2), Around(6, 6, 1)
        self.dense_1 = nn.Linear(6, CLASSES)

    def forward(self, x):
        x = F.relu(self.batch_norm_1(self.conv_1(x)))
        for block in (self.residual_1, self.residual_2, self.residual_3, self.residual_4):
            x = F.relu(block(x))
        return self.dense_1(x.mean((2, 3)))


OURS = {"weight": "w", "bias": "b", "running_mean": "mean", "running_var": "variance"}


def named(module):
    """Every array by our name."""
    for name, array in [*module.named_parameters(), *module.named_buffers()]:
        path, _, last = name.rpartition(".")
        normalizes = "batch_norm" in path.rpartition(".")[2]
        if last != "num_batches_tracked":
            yield (
                f"{path}.{({'weight': 'gamma', 'bias': 'beta'} if normalizes else {}).get(last, OURS[last])}",
                array,
            )


def ours(array):
    """In our order of axes: matrices (i, o), filters (kh, kw, i, o)."""
    turned = (
        array.permute(2, 3, 1, 0) if array.ndim == 4 else array.mT if array.ndim == 2 else array
    )
    return turned.detach().numpy().copy()


def case(module, seed):
    generator = np.random.default_rng(seed)
    with torch.no_grad():
        for name, array in named(module):
            size = np.prod(array.shape[1:]) if array.ndim > 1 else 100
            at = 1.0 if name.endswith(("gamma", "variance")) else 0.0
            values = at + generator.normal(size=array.shape) * (
                0.0 if name.endswith(("mean", "variance")) else np.sqrt(2 / size)
            )
            array.copy_(torch.tensor(values.astype(np.float32).astype(np.float64)))
    start = {name: ours(array) for name, array in named(module)}
    x = generator.integers(0, 256, (STEPS, ROWS, *module.shape), np.uint8)
    y = generator.integers(0, CLASSES, (STEPS, ROWS))
    optimizer, losses = torch.optim.SGD(module.parameters(), lr=RATE, momentum=0.9), []
    for images, classes in zip(x, y, strict=True):
        optimizer.zero_grad()
        loss = F.cross_entropy(
            module(torch.tensor(images / 255).movedim(-1, 1)), torch.tensor(classes)
        )
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    found = {"x": x, "y": y.astype(np.uint8), "losses": np.array(losses)}
    found |= {f"start/{name}": array.astype(np.float32) for name, array in start.items()}
    return found | {f"end/{name}": ours(array) for name, array in named(module)}


np.savez_compressed(
    Path(__file__).with_suffix(".npz"),
    made_by=f"tests/golden/image_networks.py, PyTorch {torch.__version__}, NumPy {np.__version__}, Python {platform.python_version()}",
    **{f"{name}/{key}": array
       for seed, (name, module) in enumerate({"lenet5": Lenet5(), "small_resnet": SmallResnet()}.items())
       for key, array in case(module, seed).items()},
)  # fmt: skip
