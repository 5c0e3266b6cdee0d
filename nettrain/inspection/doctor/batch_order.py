"""The same batch in two orders gives the same gradient, up to rounding."""

import numpy as np

from nettrain.inspection.doctor.finding import Finding, failed, ok, skipped
from nettrain.inspection.doctor.sample import rows_of
from nettrain.inspection.doctor.setup import Setup
from nettrain.inspection.doctor.small_config import one_plain_batch
from nettrain.training.run import Run

NAME = "batch order"
ROWS = 32
# Of the gradient's norm, in float64: rounding alone makes about 1e-13 of a sum of 32 rows; batches
# of one distribution differ by several hundredths.
TOLERANCE = 1e-7


def check(setup: Setup) -> list[Finding]:
    """Compare the gradients of two orders in training mode, without dropout and noise.

    It finds layers and losses that look at a row's place in the batch.
    """
    train = setup.sample.train
    count = min(ROWS, len(train))
    if count < 2:
        return skipped(NAME, "there is one training row")
    order = setup.generator("batch_order").permutation(len(train))[:count]
    config = one_plain_batch(setup.small, dtype="float64")
    run = setup.build(rows_of(train, order), config=config, noise=False)
    forward, backward = np.arange(count), np.arange(count)[::-1].copy()
    first = _gradient(run, forward)
    if not np.array_equal(first, _gradient(run, forward, step=1)):
        return skipped(NAME, "the model draws random numbers, which depend on a row's place")
    second = _gradient(run, backward)
    size = float(np.linalg.norm(first))
    difference = float(np.linalg.norm(first - second)) / (size or 1)
    message = f"gradients of {count} rows in two orders differ by {difference:.1g} of their norm"
    if difference > TOLERANCE or not np.isfinite(difference):
        return failed(
            NAME,
            message,
            "a layer or loss of your own depends on a row's place in the batch: it may use axis 0 "
            "only in means or sums over rows",
        )
    return ok(NAME, message)


def _gradient(run: Run, rows: np.ndarray, step: int = 0) -> np.ndarray:
    """That of the mean loss over the rows in this order; `step` places the random streams."""
    run.step.gather(rows, step)
    run.step.computation(len(rows), step=step)
    return run.network.vector.gradient.copy()
