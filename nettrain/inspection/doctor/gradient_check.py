"""The gradient of some rows against central differences, in float64."""

import dataclasses

from nettrain.inspection.doctor.finding import Finding, failed, ok
from nettrain.inspection.doctor.sample import rows_of
from nettrain.inspection.doctor.setup import Setup
from nettrain.inspection.doctor.small_config import one_plain_batch
from nettrain.inspection.doctor.workload import step_seconds
from nettrain.inspection.gradcheck import check_gradients

NAME = "gradient check"
ROWS = 4
MOST_ELEMENTS, LEAST_ELEMENTS = 8, 2  # of each array: the largest and others
# Relative. A rule that is wrong is wrong by a hundredth at least; where one of many thousand relus
# or maxima changes within the difference, an error of a ten-thousandth says nothing.
TOLERANCE = 1e-3
# Images have large areas of equal pixels, and biases begin at 0: there relu and max have a kink in
# all of them at once. So everything is moved off by a little.
MOVED = 0.05
SHARE = 0.1  # of the time
EAGER = 6.0  # times what a compiled step takes, operation by operation and in float64


def check(setup: Setup) -> list[Finding]:
    """Check a few elements of every parameter; `nettrain gradcheck` checks more."""
    train = setup.sample.train
    order = setup.generator("gradient_check").permutation(len(train))
    some = rows_of(train, order[:ROWS])
    if not setup.is_table:
        noise = setup.generator("gradient_check.inputs").standard_normal(some.x.shape)
        some = dataclasses.replace(some, x=some.x + MOVED * noise)
    config = one_plain_batch(setup.small, dtype="float64")
    run = setup.build(some, config=config, noise=False)
    vector = run.network.vector
    chance = setup.generator("gradient_check.weights")
    vector.values += MOVED * chance.standard_normal(len(vector)) * vector.values.std()
    report = check_gradients(
        run, rows=len(some), tolerance=TOLERANCE, elements=_elements(setup, len(some))
    )
    worst = max(report.arrays, key=lambda array: (not array.passed, array.error))
    if report.passed:
        within = [array.error for array in report.arrays if not array.kink]
        error = f", largest relative error {max(within):.1g}" if within else ""
        return ok(NAME, f"{len(report.arrays)} arrays match on {len(some)} rows{error}")
    return failed(
        NAME,
        f"{worst.name}{list(worst.index)}: autodiff {worst.autodiff:.6g}, difference "
        f"{worst.difference:.6g}",
        "an operation of your own (activation, layer, loss) has a wrong derivative; all arrays: "
        "nettrain gradcheck",
    )


def _elements(setup: Setup, rows: int) -> int:
    """Of each array, as many as the time allows: each takes two evaluations."""
    network = setup.run.network
    each = EAGER * step_seconds(network, rows) * 2 * (len(network.vector.views) + 1)
    fitting = int(SHARE * setup.seconds / each)
    return max(LEAST_ELEMENTS, min(MOST_ELEMENTS, fitting))
