"""Without its inputs the same training gives the baseline, and no better."""

import dataclasses

import numpy as np

from nettrain.data.part import Part
from nettrain.diagnosis.constant_loss import best_constant
from nettrain.errors import Diverged
from nettrain.inspection.doctor.finding import Finding, failed, ok, skipped
from nettrain.inspection.doctor.paired import paired_difference
from nettrain.inspection.doctor.setup import Setup
from nettrain.training.evaluate import row_losses

NAME = "zeroed inputs"
CERTAIN = 4.0  # standard errors: one false alarm in thirty thousand
SLACK = 0.01  # of the loss: how well the best constant is known


def check(setup: Setup) -> list[Finding]:
    """Train on zeros, and compare with the constant outputs that are best for the validation rows.

    No network can do better than they without seeing something else than its inputs: another row's
    targets, or a row's place.
    """
    validation = setup.sample.validation
    if validation is None:
        return skipped(NAME, "there is no validation part, and too few rows to hold some out")
    if not setup.work.affordable:
        return skipped(NAME, setup.work.too_slow)
    zeroed = _zeroed(validation)
    try:
        training = setup.train_briefly(_zeroed(setup.sample.train), zeroed)
    except Diverged:
        return skipped(NAME, "the training diverges")
    if training.best is None:
        raise ValueError("validation rows were not judged")
    targets, outputs = setup.encoded(validation), setup.run.network.output_shape[0]
    constant, lowest = best_constant(setup.run.loss, targets, outputs, validation.weights)
    bound = row_losses(setup.run.loss, np.tile(constant, (len(validation), 1)), targets).values
    gain = paired_difference(bound, training.best.losses, validation.weights)
    reached = lowest - gain.mean
    message = f"loss {reached:.4g}; best constant outputs {lowest:.4g}"
    if gain.exceeds(CERTAIN) and gain.mean > SLACK * abs(lowest):
        return failed(
            NAME,
            f"{message}: better by {gain}, though the inputs say nothing",
            "a layer or loss of your own sees something else than the inputs: other rows, targets",
        )
    return ok(NAME, message)


def _zeroed(part: Part) -> Part:
    return dataclasses.replace(part, x=np.zeros_like(part.x))
