"""A network of numbers and embedded categories as PyTorch trains it, in float64, for tests/nn/test_embedding.py.

Made with PyTorch 2.13: `python tests/golden/embedding.py`. The tests read the file only.
"""

from pathlib import Path

import numpy as np
import torch

ROWS, NUMBERS, CARDINALITIES, SIZES, STEPS = 23, 3, (4, 9, 3), (1, 4, 1), 20


def main():
    torch.set_default_dtype(torch.float64)
    chance = np.random.Generator(np.random.PCG64(5))
    x = chance.normal(size=(ROWS, NUMBERS))
    codes = chance.integers(0, CARDINALITIES, size=(ROWS, len(CARDINALITIES)))
    tables = [torch.nn.Embedding(v, s) for v, s in zip(CARDINALITIES, SIZES, strict=True)]
    dense = torch.nn.Linear(NUMBERS + sum(SIZES), 2)
    parameters = [table.weight for table in tables] + [dense.weight, dense.bias]
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(torch.tensor(chance.normal(size=tuple(parameter.shape))))
    y = chance.normal(size=(ROWS, 2))
    names = [*(f"w_{j}" for j in range(1, len(tables) + 1)), "weight", "bias"]
    arrays = {"x": np.hstack([x, codes]), "y": y}
    arrays |= {
        f"start_{n}": p.detach().numpy().copy() for n, p in zip(names, parameters, strict=True)
    }
    optimizer = torch.optim.Adam(parameters, lr=0.1)
    for step in range(STEPS):
        looked_up = [table(torch.tensor(codes[:, j])) for j, table in enumerate(tables)]
        outputs = dense(torch.cat([torch.tensor(x), *looked_up], dim=1))
        loss = ((outputs - torch.tensor(y)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            arrays["outputs"] = outputs.detach().numpy()
            arrays |= {
                f"d{n}": p.grad.numpy().copy() for n, p in zip(names, parameters, strict=True)
            }
        optimizer.step()
    arrays |= {f"end_{n}": p.detach().numpy() for n, p in zip(names, parameters, strict=True)}
    np.savez_compressed(Path(__file__).with_suffix(".npz"), **arrays)


if __name__ == "__main__":
    main()
