"""nettrain's losses in PyTorch: the loss of each row, and the predictions that outputs stand for."""

import numpy as np
import torch
from against.pytorch.places import Tensor
from torch.nn import functional as F


def mean_of_outputs(function):
    return lambda loss, z, y: function(z, y, reduction="none").mean(dim=1)


def cross_entropy(loss, z: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(z, y, reduction="none", label_smoothing=loss.label_smoothing)


def binary_cross_entropy(loss, z: Tensor, y: Tensor) -> Tensor:
    s = loss.label_smoothing  # PyTorch has none here, but takes any target between 0 and 1
    return F.binary_cross_entropy_with_logits(z, y * (1 - s) + s / 2, reduction="none").sum(dim=1)


def focal(loss, z: Tensor, y: Tensor) -> Tensor:
    """torchvision's sigmoid_focal_loss, 1 - p_t by its logarithm: no cancellation, no 0 ** gamma."""
    ce = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    rest = F.logsigmoid(-z) * y + F.logsigmoid(z) * (1 - y)  # ln(1 - p_t)
    found = ce * torch.exp(loss.gamma * rest)
    if loss.alpha is not None:
        found = (loss.alpha * y + (1 - loss.alpha) * (1 - y)) * found
    return found.sum(dim=1)


def hinge(loss, z: Tensor, y: Tensor) -> Tensor:
    return z.shape[1] * F.multi_margin_loss(z, y, reduction="none")  # PyTorch divides by k


def logistic(loss, z: Tensor, y: Tensor) -> Tensor:
    return -F.logsigmoid(y * z).sum(dim=1)  # soft_margin_loss overflows where -y z > 709


def perceptron(loss, z: Tensor, y: Tensor) -> Tensor:
    """Rosenblatt 1958; PyTorch has none. At a tie, z = 0, the row counts as wrong."""
    return torch.where(y * z <= 0, -y * z, 0).sum(dim=1)


def huber(loss, z: Tensor, y: Tensor) -> Tensor:
    return F.huber_loss(z, y, reduction="none", delta=loss.delta).mean(dim=1)


def kl_divergence(loss, z: Tensor, y: Tensor) -> Tensor:
    return F.kl_div(F.log_softmax(z, dim=1), y, reduction="none").sum(dim=1)  # takes ln p


def poisson(loss, z: Tensor, y: Tensor) -> Tensor:
    return F.poisson_nll_loss(z, y, log_input=True, full=False, reduction="none").mean(dim=1)


def quantile(loss, z: Tensor, y: Tensor) -> Tensor:
    """Koenker & Bassett 1978; PyTorch has none. z (n, k t): quantile by quantile."""
    levels = loss.quantiles or (loss.q,)
    parts = []
    for level, predicted in zip(levels, z.chunk(len(levels), dim=1), strict=True):
        e = y - predicted
        parts.append(torch.where(e >= 0, level * e, (level - 1) * e))
    return torch.cat(parts, dim=1).mean(dim=1)


ROWS = {
    "binary_cross_entropy": binary_cross_entropy,
    "cross_entropy": cross_entropy,
    "focal": focal,
    "hinge": hinge,
    "huber": huber,
    "kl_divergence": kl_divergence,
    "logistic": logistic,
    "mae": mean_of_outputs(F.l1_loss),
    "mse": mean_of_outputs(F.mse_loss),
    "perceptron": perceptron,
    "poisson": poisson,
    "quantile": quantile,
}
BY_CLASS = {"cross_entropy", "hinge"}  # what takes codes of classes
SIGNS = {"logistic", "perceptron"}


def encoded(loss, targets: np.ndarray, size: int) -> Tensor:
    """Codes of classes (n,), labels (n, l) or values (n, t) as PyTorch's losses take them."""
    name = loss.name()
    if targets.ndim == 2 or name in BY_CLASS:
        return torch.tensor(targets, dtype=torch.int64 if targets.ndim == 1 else torch.float64)
    if name in SIGNS:
        return torch.tensor([[1.0] if code == 1 else [-1.0] for code in targets]).double()
    if size == 2:
        return torch.tensor(targets[:, None]).double()
    return F.one_hot(torch.tensor(targets), size).double()


def row_losses(loss, z: Tensor, y: Tensor) -> Tensor:
    """(n,) for outputs (n, o), or for those of members (n, k, o): the mean of their losses."""
    function = ROWS[loss.name()]
    if z.ndim == 2:
        return function(loss, z, y)
    return torch.stack([function(loss, z[:, j], y) for j in range(z.shape[1])]).mean(dim=0)


def predictions(loss, z: Tensor, task: str) -> Tensor:
    """Probabilities of classes or labels, or values."""
    name = loss.name()
    if name in {"cross_entropy", "hinge", "kl_divergence"}:
        return torch.softmax(z, dim=1)
    if name == "poisson":
        return torch.exp(z)
    if name == "quantile" and loss.quantiles is not None:
        of_quantiles = torch.stack(z.chunk(len(loss.quantiles), dim=1), dim=1)
        return of_quantiles.sort(dim=1).values.flatten(1)
    if name in {"mse", "mae", "huber", "quantile"}:
        return z
    if task == "multilabel":
        return torch.sigmoid(z)
    if z.shape[1] == 1:
        return torch.cat([torch.sigmoid(-z), torch.sigmoid(z)], dim=1)
    p = torch.sigmoid(z)
    return p / p.sum(dim=1, keepdim=True)
