"""Makes losses.npz: every loss that PyTorch has too, float64: rows, gradients, weighted means. Made with PyTorch 2.13.0, NumPy 2.4.6.

Run it in an environment with PyTorch: `python tests/golden/losses.py`. The tests read the file only.

Arrays of a case `huber, delta 0.4`: `huber, delta 0.4/outputs`, .../targets (as PyTorch takes them), .../rows (the loss of each row),
.../doutputs (the gradient of the mean over rows). `cases` holds nettrain's mapping of each as JSON.
The two `weighted` cases are cross_entropy's weighted mean, by PyTorch's `weight=` (one a class), and with one a row: .../loss, /doutputs.
Where a convention differs the comment beside the case says so. Outputs are three times normal; some errors are exactly 0, some margins
exactly at the kink of the hinge.
"""

import json
import platform
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

ROWS, OUTPUTS = 9, 4
generator = np.random.default_rng(12)
z = 3 * generator.normal(size=(ROWS, OUTPUTS))
codes = generator.integers(0, OUTPUTS, ROWS)
labels = generator.integers(0, 2, (ROWS, OUTPUTS)).astype(float)
signs = generator.choice([-1.0, 1.0], (ROWS, 1))
counts = generator.poisson(3.0, (ROWS, OUTPUTS)).astype(float)
shares = generator.dirichlet(np.ones(OUTPUTS), ROWS)
shares[0] = [0, 1, 0, 0]
shares[1, 2], shares[1, 3] = 0, shares[1, 2] + shares[1, 3]
values = 3 * generator.normal(size=(ROWS, OUTPUTS))
values[0] = z[0]
margins = z.copy()
margins[0] = [0.0, 1.0, -1.0, 2.0]
class_weights = np.array([0.5, 2.0, 0.0, 1.25])


def mean_of_outputs(loss, **keywords):
    return lambda outputs, y: loss(outputs, y, reduction="none", **keywords).mean(dim=1)


# nettrain's mapping, outputs, targets, the loss of each row
CASES = {
    "mse": ({"type": "mse"}, z, values, mean_of_outputs(functional.mse_loss)),
    "mae": ({"type": "mae"}, z, values, mean_of_outputs(functional.l1_loss)),
    "huber": ({"type": "huber"}, z, values, mean_of_outputs(functional.huber_loss)),
    "huber, delta 0.4": ({"type": "huber", "delta": 0.4}, z, values, mean_of_outputs(functional.huber_loss, delta=0.4)),
    "poisson": ({"type": "poisson"}, z, counts, mean_of_outputs(functional.poisson_nll_loss, log_input=True, full=False)),
    # PyTorch takes ln p
    "kl_divergence": (
        {"type": "kl_divergence"}, z, shares,
        lambda outputs, y: functional.kl_div(torch.log_softmax(outputs, dim=1), y, reduction="none").sum(dim=1),
    ),
    # PyTorch divides by k
    "hinge": (
        {"type": "hinge"}, margins, codes, lambda outputs, y: OUTPUTS * functional.multi_margin_loss(outputs, y, reduction="none"),
    ),
    "logistic": (
        {"type": "logistic"}, z[:, :1], signs, lambda outputs, y: functional.soft_margin_loss(outputs, y, reduction="none")[:, 0],
    ),
    # PyTorch averages over outputs
    "binary_cross_entropy": (
        {"type": "binary_cross_entropy"}, z, labels,
        lambda outputs, y: functional.binary_cross_entropy_with_logits(outputs, y, reduction="none").sum(dim=1),
    ),
    # PyTorch has no smoothing here, and takes any targets between 0 and 1
    "binary_cross_entropy, smoothed": (
        {"type": "binary_cross_entropy", "label_smoothing": 0.1}, z, labels,
        lambda outputs, y: functional.binary_cross_entropy_with_logits(outputs, 0.9 * y + 0.05, reduction="none").sum(dim=1),
    ),
    "cross_entropy": ({"type": "cross_entropy"}, z, codes, lambda outputs, y: functional.cross_entropy(outputs, y, reduction="none")),
    "cross_entropy, smoothed": (
        {"type": "cross_entropy", "label_smoothing": 0.1}, z, codes,
        lambda outputs, y: functional.cross_entropy(outputs, y, reduction="none", label_smoothing=0.1),
    ),
    "cross_entropy, smoothed by half": (
        {"type": "cross_entropy", "label_smoothing": 0.5}, z, codes,
        lambda outputs, y: functional.cross_entropy(outputs, y, reduction="none", label_smoothing=0.5),
    ),
}  # fmt: skip


def case(outputs, targets, row_losses):
    outputs = torch.tensor(outputs, requires_grad=True)
    rows = row_losses(outputs, torch.tensor(targets))
    rows.mean().backward()
    return {
        "outputs": outputs,
        "targets": torch.tensor(targets),
        "rows": rows,
        "doutputs": outputs.grad,
    }


def weighted(row_weights):
    """The mean with PyTorch's own class weights, or, which PyTorch has not, with one weight a row."""
    outputs, targets = torch.tensor(z, requires_grad=True), torch.tensor(codes)
    if row_weights is None:
        loss = functional.cross_entropy(outputs, targets, weight=torch.tensor(class_weights))
        row_weights = class_weights[codes]
    else:
        rows = functional.cross_entropy(outputs, targets, reduction="none")
        loss = (rows * torch.tensor(row_weights)).sum() / row_weights.sum()
    loss.backward()
    return {
        "outputs": outputs,
        "targets": targets,
        "weights": torch.tensor(row_weights),
        "loss": loss,
        "doutputs": outputs.grad,
    }


def named(case, arrays):
    return {f"{case}/{name}": tensor.detach().numpy() for name, tensor in arrays.items()}


torch.set_num_threads(1)
found = {}
for name, (_, outputs, targets, row_losses) in CASES.items():
    found |= named(name, case(outputs, targets, row_losses))
found |= named("weighted, a class", weighted(None))
found |= named("weighted, a row", weighted(generator.exponential(size=ROWS)))
np.savez_compressed(
    Path(__file__).with_suffix(".npz"),
    made_by=f"tests/golden/losses.py, PyTorch {torch.__version__}, NumPy {np.__version__}, Python {platform.python_version()}",
    cases=json.dumps({name: mapping for name, (mapping, *_) in CASES.items()}),
    class_weights=class_weights,
    **found,
)
