"""A network that can learn at all learns a handful of rows by heart."""

import math

import numpy as np

from nettrain.data.part import Part
from nettrain.diagnosis.constant_loss import best_constant, best_loss
from nettrain.inspection.doctor.finding import Finding, failed, ok, skipped, warning
from nettrain.inspection.doctor.sample import rows_of, truth_of
from nettrain.inspection.doctor.setup import Setup
from nettrain.inspection.doctor.small_config import one_plain_batch
from nettrain.optim import Optimizer
from nettrain.training.run import Run

NAME = "one batch"
MOST_ROWS, LEAST_ROWS = 16, 4
SPARE = 2  # parameters per target: with as many as targets the last rows take long
STEPS = 400
# Adam in place of the configured optimizer: this is about the model and its loss, and the learning
# rate has a check of its own.
RATES = (3e-3, 3e-2, 3e-4)
# Of the way from the best constant outputs to the best outputs of all. A network with more
# parameters than targets gets all the way; one that gets less than half of it is missing
# something.
LEARNED, HALF = 0.9, 0.5
NEAR = 0.02  # of a loss: within so much of its number, it is taken for the one of two softmaxes


def check(setup: Setup) -> list[Finding]:
    """Train on one batch, without dropout, augmentation and penalties, until it is learned."""
    batch = _batch(setup)
    if batch is None:
        return skipped(NAME, f"fewer than {LEAST_ROWS} rows that the parameters could memorize")
    outputs, targets = setup.run.network.output_shape[0], setup.encoded(batch)
    constant = best_constant(setup.run.loss, targets, outputs)[1]
    best = best_loss(setup.run.loss, targets, outputs)
    if not constant - best > 1e-6 * max(1.0, abs(constant)):
        return skipped(NAME, "the targets of these rows are all alike")
    reached = math.inf
    for lr in RATES:
        optimizer = Optimizer.parse({"type": "adam", "lr": lr})
        config = one_plain_batch(setup.small, optimizer=optimizer)
        run = setup.build(batch, config=config, noise=False)
        enough = best + (1 - LEARNED) * (constant - best)
        reached = min(reached, _lowest_loss(run, len(batch), enough))
        if (constant - reached) / (constant - best) >= LEARNED:
            break
    return _judged(setup, batch, constant, best, reached)


def _judged(
    setup: Setup, batch: Part, constant: float, best: float, reached: float
) -> list[Finding]:
    learned = (constant - reached) / (constant - best)
    message = (
        f"{len(batch)} rows: the loss falls from {constant:.3g} of the best constant outputs to "
        f"{reached:.3g} (best possible {best:.3g})"
    )
    if doubled := _softmax_twice(setup, batch, best, reached):
        return doubled
    if learned >= LEARNED:
        return ok(NAME, message)
    message += f" in {STEPS} steps of adam"
    remedy = (
        "more units or layers; look at gradients and units above; in a loss or layer of your own, "
        "at what it computes"
    )
    return warning(NAME, message, remedy) if learned >= HALF else failed(NAME, message, remedy)


def _batch(setup: Setup) -> Part | None:
    """Rows with distinct inputs, of all classes in turn; as many as the parameters can memorize."""
    train = setup.sample.train
    order = setup.generator("one_batch").permutation(len(train))[: 50 * MOST_ROWS]
    flat = np.asarray(train.x[order]).reshape(len(order), -1)
    order = order[np.sort(np.unique(flat, axis=0, return_index=True)[1])]
    if setup.task == "classification":
        codes = truth_of(train)[order]
        turn = np.empty(len(order), np.intp)  # how many of the same class came before
        for code in np.unique(codes):
            turn[codes == code] = np.arange((codes == code).sum())
        order = order[np.argsort(turn, kind="stable")]
    vector = setup.run.network.vector
    free = vector.trainable.stop - vector.trainable.start
    targets = max(setup.run.network.output_shape[0], 1)
    most = min(MOST_ROWS, free // (SPARE * targets), len(order))
    if most < LEAST_ROWS:
        return None
    return rows_of(Part(train.x, train.y, train.truth), np.sort(order[:most]))


def _lowest_loss(run: Run, rows: int, enough: float) -> float:
    """The lowest loss of the batch in so many steps; once below `enough` it is not pursued."""
    lowest, batch = math.inf, np.arange(rows)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for step in range(STEPS):
            loss = run.step(batch, run.rate_of(step)) / rows
            if not math.isfinite(loss):
                break
            lowest = min(lowest, loss)
            if lowest < enough:
                break
    return lowest


def softmax_twice_loss(classes: int) -> float:
    """The cross-entropy below which softmax(softmax(z)) cannot get: ln(1 + (k - 1) / e).

    The inner one gives at most 1 to the true class and 0 to the others, so the outer one gives it
    at most e / (e + k - 1).
    """
    return math.log(1 + (classes - 1) / math.e)


def _softmax_twice(setup: Setup, batch: Part, best: float, reached: float) -> list[Finding]:
    """A loss that stays at the bound of two softmaxes, in the loss or in model and loss."""
    if setup.task != "classification":
        return []
    bound = softmax_twice_loss(setup.target_size)
    in_loss = abs(best - bound) < NEAR * bound
    in_model = abs(reached - bound) < NEAR * bound and best < bound / 2
    if not (in_loss or in_model):
        return []
    where = "even the best possible outputs have" if in_loss else "it stops at"
    return failed(
        NAME,
        f"{len(batch)} rows: {where} the loss {best if in_loss else reached:.4g}, which is the "
        f"bound ln(1 + (k - 1) / e) = {bound:.4g} of a softmax applied twice (k = "
        f"{setup.target_size})",
        "the loss cross_entropy applies softmax itself: leave it out of the model, or of your own "
        "loss",
    )
