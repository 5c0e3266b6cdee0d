"""Makes functions.npz: PyTorch's values and gradients of functions at extreme inputs, float64. Made with PyTorch 2.13.0, NumPy 2.4.6.

Run it in an environment with PyTorch: `python tests/golden/functions.py`. The tests read the file only.

`points` are the inputs of element-wise functions, `rows` (n, 3) those of functions along the last axis: every triple that mixes small,
large and huge, equal ones included. `value.NAME` is f(x); `gradient.NAME` the gradient of sum f(x) for element-wise functions; for the
others that of sum f(x) * `weights`.
"""

import itertools
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

points = np.array(
    sorted({sign * size for size in (0, 1e-8, 5, 30, 100, 700) for sign in (1, -1)}),
    dtype=np.float64,
)
rows = np.array(list(itertools.combinations_with_replacement(points, 3)))
weights = {
    "softmax": np.array([1.0, -2.0, 0.5]),
    "log_softmax": np.array([1.0, -2.0, 0.5]),
    "logsumexp": np.array(1.0),
}

ELEMENT_WISE = {
    "sigmoid": torch.sigmoid,
    "softplus": functional.softplus,
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.01),
    "tanh": torch.tanh,
}
ALONG_ROWS = {
    "softmax": lambda x: torch.softmax(x, -1),
    "log_softmax": lambda x: torch.log_softmax(x, -1),
    "logsumexp": lambda x: torch.logsumexp(x, -1),
}

arrays = {"points": points, "rows": rows} | {f"weights.{name}": w for name, w in weights.items()}
for name, f in (ELEMENT_WISE | ALONG_ROWS).items():
    x = torch.tensor(points if name in ELEMENT_WISE else rows, requires_grad=True)
    y = f(x)
    (y * torch.tensor(weights.get(name, np.array(1.0)))).sum().backward()
    arrays |= {f"value.{name}": y.detach().numpy(), f"gradient.{name}": x.grad.numpy()}

if __name__ == "__main__":
    print(torch.__version__, np.__version__)
    np.savez(Path(__file__).with_suffix(".npz"), **arrays)
