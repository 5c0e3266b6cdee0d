"""The loss before the first step: about that of a network that says nothing yet."""

import math

import numpy as np

from nettrain.inspection.doctor.finding import Finding, failed, ok, skipped, warning
from nettrain.inspection.doctor.setup import Setup
from nettrain.training.evaluate import row_losses

NAME = "initial loss"
# Times the loss of zero outputs. Good initial weights give outputs with a standard deviation of
# about 1, of two or three inputs up to 3: mse of standardized targets is then 2 to 10, and ln k
# becomes 1 to 3 times as large. Twenty times is outputs more than four times as large as targets.
LARGE = 20.0
# From here on the first epochs only undo the initial weights.
HOPELESS = 1000.0
# Standard deviations of a target that is not standardized: outputs begin at about 1.
SMALLEST_TARGET, LARGEST_TARGET = 0.01, 100.0
FAR = 10.0  # times the largest deviation: a target that is this far from 0


def check(setup: Setup) -> list[Finding]:
    """Compare it with ln k for k classes, or with the mean square of standardized targets."""
    train, loss = setup.probe, setup.run.loss
    outputs = setup.run.network.outputs(train.x)
    targets = setup.encoded(train)
    found = row_losses(loss, outputs, targets, train.weights).mean()
    zero = row_losses(loss, np.zeros_like(outputs), targets, train.weights).mean()
    if not math.isfinite(found):
        return failed(NAME, f"the loss is {found} before the first step", _remedy(setup))
    if target := _badly_scaled_target(setup):
        return target
    if zero <= 0:
        return skipped(NAME, f"{loss.name()} of zero outputs is {zero:g}: nothing to compare with")
    message = f"{found:.4g}; {_reference(setup)} is {zero:.4g}"
    if found > HOPELESS * zero:
        return failed(NAME, message, _remedy(setup))
    if found > LARGE * zero:
        return warning(NAME, message, _remedy(setup))
    return ok(NAME, message)


def _reference(setup: Setup) -> str:
    if setup.run.loss.name() == "cross_entropy":
        return f"that of equal probabilities, ln {setup.target_size},"
    if setup.run.loss.name() == "mse":
        return "that of zero outputs, the mean square of the targets,"
    return "that of zero outputs"


def _remedy(setup: Setup) -> str:
    scale = "dataset.transforms: [standardize]" if setup.is_table else "dataset.transforms: [scale]"
    return f"{scale} if the inputs are large; smaller initial weights (initializer: he or xavier)"


def _badly_scaled_target(setup: Setup) -> list[Finding]:
    """A numeric target in its own units: outputs begin near 0, with a deviation of about 1."""
    if setup.task != "regression" or setup.run.loss.raw_targets:
        return []
    targets = setup.encoded(setup.probe)
    deviation, largest = float(targets.std()), float(np.abs(targets).max())
    usual = SMALLEST_TARGET <= deviation <= LARGEST_TARGET and largest <= FAR * LARGEST_TARGET
    if deviation == 0 or usual:
        return []
    return warning(
        NAME,
        f"the targets have the standard deviation {deviation:.3g} and reach {largest:.3g}, while "
        "outputs begin at about 1",
        "dataset.target_transforms: [standardize], which is the default",
    )
