"""Whether more training rows would help: three sizes, extrapolated."""

import math

import numpy as np

from nettrain.errors import Diverged
from nettrain.inspection.doctor.against_baseline import beats_baseline
from nettrain.inspection.doctor.finding import Finding, ok, skipped
from nettrain.inspection.doctor.paired import Difference, paired_difference
from nettrain.inspection.doctor.sample import rows_of
from nettrain.inspection.doctor.setup import Setup
from nettrain.inspection.doctor.short_training import Judged, ShortTraining

NAME = "more data"
LEAST_ROWS = 80  # a quarter of them still holds a few rows of several classes
VISIBLE = 2.0  # standard errors of the paired difference between two sizes


def check(setup: Setup) -> list[Finding]:
    """Train on a quarter, a half and all of the rows, and extrapolate the validation loss.

    L(n) = a + b n^-c (Cortes et al. 1994, "Learning curves"): with three sizes of ratio 2 each
    doubling gains r times what the one before gained, so the next one gains r d, and all further
    ones r d / (1 - r) together. With each size about the same number of steps is made.
    """
    sample = setup.sample
    if sample.validation is None:
        return skipped(NAME, "there is no validation part, and too few rows to hold some out")
    if not setup.work.affordable:
        return skipped(NAME, setup.work.too_slow)
    if not beats_baseline(setup):
        return skipped(NAME, "the network is not certainly better than the baseline")
    n = len(sample.train)
    if n < LEAST_ROWS:
        return skipped(NAME, f"a quarter of {n} training rows is too few to train on")
    try:
        trained = [_judged(setup, n // 4), _judged(setup, n // 2), _best(setup.training)]
    except Diverged:
        return skipped(NAME, "the training diverges")
    quarter, half, whole = (one.losses for one in trained)
    weights = sample.validation.weights
    means = [float(np.average(one, weights=weights)) for one in (quarter, half, whole)]
    first = paired_difference(quarter, half, weights)
    last = paired_difference(half, whole, weights)
    shown = " -> ".join(f"{mean:.3g}" for mean in means)
    of = f" of {len(setup.run.parts['train']):,}" if n < len(setup.run.parts["train"]) else ""
    message = f"validation loss {shown} on {n // 4:,}, {n // 2:,} and {n:,}{of} rows"
    return ok(NAME, f"{message}; {outlook(means[-1], first, last, n)}")


def _judged(setup: Setup, count: int) -> Judged:
    """A training on some of the rows, at its best epoch."""
    order = setup.generator("more_data").permutation(len(setup.sample.train))
    return _best(setup.train_briefly(rows_of(setup.sample.train, np.sort(order[:count]))))


def _best(training: ShortTraining) -> Judged:
    if training.best is None:
        raise ValueError("validation rows were not judged")
    return training.best


def outlook(loss: float, first: Difference, last: Difference, n: int) -> str:
    """What twice as many rows would bring, said no more surely than three figures allow."""
    if not last.exceeds(VISIBLE):
        return f"the last doubling gained {last}: no visible gain, so more would hardly help"
    ratio = last.mean / first.mean if first.mean > 0 else math.inf
    if not 0 < ratio < 1:
        return f"the gain of a doubling ({last.mean:.2g}) is not getting smaller: more would help"
    gain = ratio * last.mean
    return f"{2 * n:,} rows would give about {loss - gain:.3g} (a power law through three figures)"
