"""Gradients of PyTorch, and how near two gradients must be."""

from collections.abc import Mapping

import numpy as np
import torch
from against.comparison import Comparison
from against.pytorch.places import Tensor

GRADIENT = 1e-8  # of the largest element of a parameter's gradient, or ...
# ... this share of the largest of all: what should be 0 is the sum of such, and each normalization
# of equal numbers makes their rounding 1 / sqrt(epsilon) times as large.
CANCELLED = 1e-10


def gradients(loss: Tensor, trained: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """The gradient with respect to each tensor; zero where the loss does not depend on it."""
    if not loss.requires_grad or not trained:
        return {name: np.zeros(tensor.shape) for name, tensor in trained.items()}
    found = torch.autograd.grad(loss, list(trained.values()), allow_unused=True)
    return {
        name: np.zeros(tensor.shape) if g is None else g.numpy()
        for (name, tensor), g in zip(trained.items(), found, strict=True)
    }


def compare_gradients(
    comparison: Comparison, ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]
) -> None:
    """Compare the gradient of each trained parameter, of which theirs may have more."""
    largest = max((np.abs(g).max(initial=0) for g in theirs.values()), default=0.0)
    for name, g in theirs.items():
        if name not in ours:
            continue
        scale = max(np.abs(g).max(initial=0), largest * CANCELLED / GRADIENT) or 1.0
        comparison.close(f"gradient: {name}", ours[name], g, GRADIENT, float(scale))
