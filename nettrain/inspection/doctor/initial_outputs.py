"""The outputs before the first step: of size 1, and different for different rows."""

import numpy as np

from nettrain.inspection.doctor.finding import Finding, failed, ok, skipped, warning
from nettrain.inspection.doctor.setup import Setup

NAME = "initial outputs"
# Good initial weights keep the variance of inputs of size 1 from layer to layer, so outputs have a
# standard deviation of about 1. Logits of 10 give one class the probability 0.9999.
LARGE = 10.0
NO_SPREAD = 1e-6  # of the outputs' size: rounding in float32


def check(setup: Setup) -> list[Finding]:
    """Look at the spread of the outputs over rows."""
    rows = setup.probe.x
    outputs = setup.run.network.outputs(rows).astype(np.float64)
    if not np.isfinite(outputs).all():
        return failed(
            NAME, "not finite before the first step", "smaller initial weights, scaled inputs"
        )
    if not outputs.any():
        return skipped(NAME, "all zero: the last layer begins with zeros")
    spread, size = float(outputs.std(axis=0).max()), float(np.abs(outputs).max())
    message = f"standard deviation over {len(rows)} rows {spread:.3g}, largest {size:.3g}"
    if len(rows) > 1 and spread <= NO_SPREAD * size:
        return failed(
            NAME,
            f"the same for every row ({message})",
            "a layer passes nothing on: look at its initializer and activation, and at the inputs",
        )
    if spread > LARGE:
        return warning(
            NAME,
            message,
            "scale the inputs (dataset.transforms: [standardize]), or smaller initial weights",
        )
    return ok(NAME, message)
