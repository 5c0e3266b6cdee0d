"""The loss of the best constant output: training must get below it to have learned anything; and
that of the best outputs of all, below which it cannot get.
"""

import numpy as np

from nettrain.autodiff.backward import backward
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.loss import Loss

# Of targets: the loss is known to a thousandth, and an iteration takes less than a millisecond.
MOST_ELEMENTS = 65536
STEPS = 200
PATIENCE = 15  # steps without an improvement by a thousandth
GROW, SHRINK = 1.2, 0.5


def constant_loss(
    loss: Loss, encoded: np.ndarray, outputs: int, weights: np.ndarray | None = None
) -> float:
    """min_c mean_i w_i L(c, y_i) over constant outputs c (o,).

    Args:
        loss: L.
        encoded: Targets y (n, ...).
        outputs: o.
        weights: w (n,).
    """
    return best_constant(loss, encoded, outputs, weights)[1]


def best_constant(
    loss: Loss, encoded: np.ndarray, outputs: int, weights: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """The constant outputs c (o,) of the smallest mean loss, and that loss.

    The arguments are those of `constant_loss`.
    """
    rows, counts = _distinct(encoded, weights)
    return _minimize(loss, rows, counts / counts.sum(), np.zeros(outputs))


def best_loss(loss: Loss, encoded: np.ndarray, outputs: int) -> float:
    """The mean loss of the best outputs, which each row has for itself: a perfect network's.

    With cross-entropy it is 0 without label smoothing.

    Args:
        loss: L.
        encoded: Targets y (n, ...).
        outputs: Of a row.
    """
    targets = encoded if encoded.dtype.kind == "i" else encoded.astype(np.float64)
    shares = np.full(len(targets), 1 / len(targets))
    return _minimize(loss, targets, shares, np.zeros((len(targets), outputs)))[1]


def _minimize(
    loss: Loss, targets: np.ndarray, shares: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, float]:
    """min_c sum_i share_i L(c, y_i): the best c, and the sum there.

    Rprop (Riedmiller & Braun 1993, without backtracking): only the signs of the derivatives count,
    so the unit of the loss does not matter.
    """
    share, y = Tensor(shares), Tensor(targets)
    zeros = Tensor(np.zeros((len(targets), start.shape[-1])))
    c, steps, before = start, np.full(start.shape, 0.1), np.zeros(start.shape)
    found, best, waited = start, np.inf, 0
    for _ in range(STEPS):
        constant = Tensor(c.copy(), requires_grad=True)
        mean = (loss.rows(zeros + constant, y) * share).sum()
        waited = waited + 1 if mean.item() > best - 1e-3 * abs(best) else 0
        if mean.item() < best:
            found, best = c.copy(), mean.item()
        if waited == PATIENCE or not np.isfinite(mean.item()):
            break
        sign = np.sign(backward(mean)[constant])
        steps *= np.where(sign * before > 0, GROW, np.where(sign * before < 0, SHRINK, 1.0))
        c -= sign * steps
        before = sign
    return found, best


def _distinct(encoded: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The distinct targets and the weight of each; of too many, some, evenly spread."""
    weights = np.ones(len(encoded)) if weights is None else weights.astype(np.float64)
    if encoded.dtype.kind == "i" and encoded.ndim == 1:
        found, places = np.unique(encoded, return_inverse=True)
        return found, np.bincount(places.reshape(-1), weights)
    most = max(1, MOST_ELEMENTS * len(encoded) // max(encoded.size, 1))
    chosen = np.linspace(0, len(encoded) - 1, min(most, len(encoded))).astype(np.int64)
    return encoded[chosen].astype(np.float64), weights[chosen]
