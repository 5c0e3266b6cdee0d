"""After a short training the network beats the baseline on rows that it was not trained on."""

from dataclasses import dataclass

import numpy as np

from nettrain.diagnosis.symptoms import BASELINE
from nettrain.errors import Diverged
from nettrain.inspection.doctor.association import association
from nettrain.inspection.doctor.finding import Finding, failed, ok, skipped, warning
from nettrain.inspection.doctor.paired import Difference, paired_difference
from nettrain.inspection.doctor.sample import truth_of
from nettrain.inspection.doctor.setup import Setup
from nettrain.training.evaluate import row_losses

NAME = "baseline"
# Standard errors of the mean of paired differences. The best epoch is chosen by the same rows,
# which makes chance look better: two would be too few.
CERTAIN = 3.0
UNDECIDED = 0.2  # of the baseline's loss: where the rows do not exclude such a gain, none is denied
CALIBRATION = "fewer epochs or more regularization, as the predictions are overconfident"


def check(setup: Setup) -> list[Finding]:
    """Compare the loss of each validation row with that of the best constant outputs."""
    validation = setup.sample.validation
    if validation is None:
        return skipped(NAME, "there is no validation part, and too few rows to hold some out")
    try:
        gain = gain_over_baseline(setup)
    except Diverged as error:
        remedy = f"a lower optimizer.lr (now {setup.config.optimizer.lr:g}), or scaled inputs"
        return failed(NAME, f"the training diverges: {str(error).splitlines()[0]}", remedy)
    training, baseline = setup.training, float(gain.baseline)
    whole = "" if setup.work.complete else " (a part of the run)"
    message = (
        f"validation loss {baseline - gain.difference.mean:.4g} after {training.steps:,} steps"
        f"{whole}, baseline {baseline:.4g}"
    )
    if gain.is_certain and gain.difference.mean > (1 - BASELINE) * abs(baseline):
        return ok(NAME, message)
    remedy = (
        "see whether the targets belong to these rows, and whether the features say anything about "
        "them; look at the learning rate, and at the rows of the two parts"
    )
    if gain.is_certain:
        return warning(NAME, f"{message}: hardly better ({gain.difference})", remedy)
    memorized = training.epoch_losses[-1] < BASELINE * setup.constant[1]
    if gain.association > CERTAIN:
        message += f"; predictions go with the targets ({gain.association:.1f} standard deviations)"
        if gain.difference.mean + CERTAIN * gain.difference.error > 0:
            return ok(NAME, f"{message}; the loss of {len(validation):,} rows is within noise")
        return warning(NAME, message, f"{CALIBRATION}; {remedy}")
    why = ", though the training loss falls" if memorized else ""
    message += f": no better than that{why}"
    if gain.difference.mean + CERTAIN * gain.difference.error > UNDECIDED * abs(baseline):
        return warning(NAME, f"{message}; {len(validation):,} rows are too few to tell", remedy)
    report = failed if setup.work.complete or memorized else warning
    return report(NAME, message, remedy)


@dataclass(frozen=True)
class Gain:
    """Of the network over the best constant outputs, on validation rows.

    Attributes:
        baseline: The mean loss of the constant outputs.
        difference: What the network's loss is smaller by.
        association: Of predictions and targets, in standard deviations of chance; of the best
            epoch or the last one, whichever is larger.
    """

    baseline: float
    difference: Difference
    association: float

    @property
    def is_certain(self) -> bool:
        """Whether it is more than chance."""
        return self.difference.exceeds(CERTAIN)


def beats_baseline(setup: Setup) -> bool:
    """Whether its predictions certainly tell something about new rows after a short training."""
    try:
        gain = gain_over_baseline(setup)
        return gain.is_certain or gain.association > CERTAIN
    except Diverged:
        return False


def gain_over_baseline(setup: Setup) -> Gain:
    """Compare each row's loss.

    Raises:
        Diverged: The short training does.
    """
    validation, best = setup.sample.validation, setup.training.best
    if validation is None or best is None:
        raise ValueError("there are no validation rows")
    outputs = np.tile(setup.constant[0], (len(validation), 1))
    baseline = row_losses(setup.run.loss, outputs, setup.encoded(validation), validation.weights)
    difference = paired_difference(baseline.values, best.losses, validation.weights)
    judged = [one for one in (best, setup.training.last) if one is not None]
    together = [association(setup.task, truth_of(validation), one.predictions) for one in judged]
    return Gain(baseline.mean(), difference, max(together))
