"""Predicted classes that are the true ones in another order."""

import math

import numpy as np

from nettrain.errors import Diverged
from nettrain.inspection.doctor.finding import Finding, failed, ok, skipped
from nettrain.inspection.doctor.sample import truth_of
from nettrain.inspection.doctor.setup import Setup

NAME = "class order"
# Renamed classes must be right on half of the rows, and on a fifth more than the classes as they
# are, by four standard errors: a network that confuses two classes gains less, and one that has
# learned nothing is right on a half only where one class is that frequent.
LEAST, GAIN, CERTAIN = 0.5, 0.2, 4.0
ROWS_PER_CLASS = 10  # with fewer, some of all orders fits well by chance


def check(setup: Setup) -> list[Finding]:
    """Rename the predicted classes so that they agree with the true ones as often as possible.

    Where another order than that of the targets fits far better, a part or a loss has its classes
    in another order.
    """
    if setup.task != "classification":
        return skipped(NAME, f"the task is {setup.task}")
    try:
        training = setup.training
    except Diverged:
        return skipped(NAME, "the training diverges")
    sample, agreements = setup.sample, []
    for name, part, judged in (
        ("training", sample.train, training.train),
        ("validation", sample.validation, training.last),
    ):
        if part is None or judged is None or len(part) < ROWS_PER_CLASS * setup.target_size:
            continue
        table = _counts(truth_of(part), judged.predictions.argmax(axis=1), setup.target_size)
        order = best_order(table)
        as_is, renamed = _agreement(table, np.arange(len(table))), _agreement(table, order)
        error = math.sqrt(max(renamed + as_is - (renamed - as_is) ** 2, 0) / len(part))
        if renamed >= LEAST and renamed - as_is > max(GAIN, CERTAIN * error):
            return failed(
                NAME,
                f"accuracy on {name} rows {as_is:.3f}, but {renamed:.3f} if "
                f"{_renaming(setup, order)}",
                "the classes have another order in this part's source, or in a loss of your own "
                "(its inverse_link): give them the same numbers everywhere",
            )
        agreements.append(f"{name} {as_is:.3f}")
    if not agreements:
        reason = f"fewer than {ROWS_PER_CLASS} rows per class, too few to compare orders"
        return skipped(NAME, reason)
    return ok(NAME, f"accuracy {', '.join(agreements)}; no other order fits better")


def best_order(counts: np.ndarray) -> np.ndarray:
    """The predicted class that stands for each true one: the largest counts first.

    Args:
        counts: Rows (k, k) by true and predicted class.
    """
    left, order = counts.astype(np.float64), np.arange(len(counts))
    for _ in range(len(counts)):
        true, predicted = np.unravel_index(int(left.argmax()), left.shape)
        order[true] = predicted
        left[true], left[:, predicted] = -1, -1
    return order


def _counts(truth: np.ndarray, predicted: np.ndarray, k: int) -> np.ndarray:
    return np.bincount(truth * k + predicted, minlength=k * k).reshape(k, k)


def _agreement(counts: np.ndarray, order: np.ndarray) -> float:
    return float(counts[np.arange(len(counts)), order].sum() / max(counts.sum(), 1))


def _renaming(setup: Setup, order: np.ndarray) -> str:
    classes = setup.run.pipeline.schema.classes or ()
    changed = [(classes[p], classes[t]) for t, p in enumerate(order) if p != t]
    shown = ", ".join(f"{predicted!r} means {true!r}" for predicted, true in changed[:3])
    return shown + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
