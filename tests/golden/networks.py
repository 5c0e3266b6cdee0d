"""Makes networks.npz: small networks in PyTorch, float64: outputs, loss and every gradient. Made with PyTorch 2.13.0, NumPy 2.4.6.

Run it in an environment with PyTorch: `python tests/golden/networks.py`. The tests read the file only.

outputs = f(f(x w1 + b1) w2 + b2) w3 + b3, f: relu, tanh or sigmoid. The loss is a mean over rows, of one of these:
cross_entropy         softmax, -log p of the target's code;
binary_cross_entropy  sigmoid, summed over outputs, targets 0 and 1;
mse                   averaged over outputs.
Arrays of a case `relu, mse`: `relu, mse/x`, .../targets, /outputs, /predictions (after softmax or sigmoid), /loss, /rows (the loss of
each row), /w1 (inputs, outputs) ... /b3, and their gradients /dw1 ... /db3, /dx, /doutputs.
The first row of x is zero and so is b1: every relu of the first layer stands at its kink there, where the derivative is 0.
"""

import platform
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

ROWS, INPUTS, HIDDEN, OUTPUTS = 7, 5, (6, 4), 3
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}

# targets for (rows, outputs) from a generator, the loss of each row, and what the outputs mean
LOSSES = {
    "cross_entropy": (
        lambda generator: generator.integers(0, OUTPUTS, ROWS),
        lambda outputs, y: functional.cross_entropy(outputs, y, reduction="none"),
        lambda outputs: torch.softmax(outputs, dim=1),
    ),
    "binary_cross_entropy": (
        lambda generator: generator.integers(0, 2, (ROWS, OUTPUTS)).astype(float),
        lambda outputs, y: functional.binary_cross_entropy_with_logits(
            outputs, y, reduction="none"
        ).sum(dim=1),
        torch.sigmoid,
    ),
    "mse": (
        lambda generator: generator.normal(size=(ROWS, OUTPUTS)),
        lambda outputs, y: functional.mse_loss(outputs, y, reduction="none").mean(dim=1),
        lambda outputs: outputs,
    ),
}


def case(activation, loss, seed):
    generator = np.random.default_rng(seed)
    draw_targets, row_losses, meaning = LOSSES[loss]
    f = ACTIVATIONS[activation]
    sizes = (INPUTS, *HIDDEN, OUTPUTS)
    arrays = {"x": generator.normal(size=(ROWS, INPUTS))}
    arrays["x"][0] = 0
    for layer, (i, o) in enumerate(pairwise(sizes), start=1):
        arrays[f"w{layer}"] = generator.normal(size=(i, o))
        arrays[f"b{layer}"] = generator.normal(size=o) * (layer > 1)
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    targets = draw_targets(generator)

    outputs = (
        f(f(leaves["x"] @ leaves["w1"] + leaves["b1"]) @ leaves["w2"] + leaves["b2"]) @ leaves["w3"]
        + leaves["b3"]
    )
    outputs.retain_grad()
    rows = row_losses(outputs, torch.tensor(targets))
    rows.mean().backward()
    arrays |= {
        f"d{name}": leaf.grad.numpy() for name, leaf in (leaves | {"outputs": outputs}).items()
    }
    results = {
        "outputs": outputs,
        "predictions": meaning(outputs),
        "rows": rows,
        "loss": rows.mean(),
    }
    return (
        arrays
        | {"targets": targets}
        | {name: result.detach().numpy() for name, result in results.items()}
    )


np.savez_compressed(
    Path(__file__).with_suffix(".npz"),
    made_by=f"tests/golden/networks.py, PyTorch {torch.__version__}, NumPy {np.__version__}, Python {platform.python_version()}",
    **{
        f"{activation}, {loss}/{name}": array
        for seed, (activation, loss) in enumerate((a, b) for a in ACTIVATIONS for b in LOSSES)
        for name, array in case(activation, loss, seed).items()
    },
)
