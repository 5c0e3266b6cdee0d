"""PyTorch on the CIFAR-10 subset as configs/cifar10_small.yaml trains it: what its test accuracy is compared with.

    python tests/benchmarks/cifar10_pytorch.py cifar10_2k.npz --seeds 3

The same network, initial distribution, augmentation, optimizer, schedule, dropout, batches and epochs; other random numbers, so that only
means over seeds can be compared. Its figure comes from the last weights. x_train, y_train, x_test, y_test: images (n, h, w, c) of bytes.
"""

import argparse
import math
import statistics
import sys
import time
from pathlib import Path

try:
    import numpy as np
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError as error:
    sys.exit(
        f"{error.name} is not installed here; this comparison needs PyTorch: pip install torch"
    )

EPOCHS, BATCH, RATE, DROPOUT, WIDTHS, HIDDEN = 20, 64, 2e-3, 0.3, (16, 32), 128


def network(channels: int, side: int, classes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in WIDTHS:
        for _ in range(2):
            layers += [
                nn.Conv2d(channels, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            channels = width
        layers.append(nn.MaxPool2d(2))
        side //= 2
    layers += [
        nn.Flatten(),
        nn.Linear(channels * side * side, HIDDEN),
        nn.ReLU(),
        nn.Dropout(DROPOUT),
        nn.Linear(HIDDEN, classes),
    ]
    for layer in layers[:-1]:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.xavier_normal_(layers[-1].weight)  # type: ignore[arg-type]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def accuracy(seed: int, arrays: dict[str, np.ndarray]) -> float:
    torch.manual_seed(seed)
    x, x_test = (
        torch.tensor(arrays[name]).movedim(-1, 1).float() / 255 for name in ("x_train", "x_test")
    )
    y, y_test = (
        torch.tensor(arrays[name].astype(np.int64).reshape(-1)) for name in ("y_train", "y_test")
    )
    model = network(x.shape[1], x.shape[2], int(y.max()) + 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    steps = math.ceil(len(x) / BATCH)
    for epoch in range(EPOCHS):
        for step, rows in enumerate(torch.randperm(len(x)).split(BATCH)):
            for group in optimizer.param_groups:
                group["lr"] = RATE / 2 * (1 + math.cos(math.pi * (epoch + step / steps) / EPOCHS))
            images = x[rows]
            mirrored = torch.rand(len(rows)) < 0.5
            images[mirrored] = images[mirrored].flip(-1)
            optimizer.zero_grad()
            F.cross_entropy(model(images), y[rows]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        return float((model(x_test).argmax(1) == y_test).double().mean())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    with np.load(given.file) as file:
        arrays = dict(file)
    found = []
    for seed in range(given.seeds):
        start = time.perf_counter()
        found.append(accuracy(seed, arrays))
        print(
            f"seed {seed}: test accuracy {found[-1]:.4f}, {time.perf_counter() - start:.0f} s",
            flush=True,
        )
    print(f"mean {statistics.mean(found):.4f}")


if __name__ == "__main__":
    main()
