"""Dead and saturated units before the first step."""

from nettrain.diagnosis.symptoms import DEAD
from nettrain.inspection.doctor.finding import Finding, failed, ok, skipped, warning
from nettrain.inspection.doctor.setup import Setup

NAME = "units"
# Of a layer's units. With weights and inputs of size 1, a unit is 0 on all of 256 rows, or near a
# bound on nine of ten, in less than one case of a hundred.
SOME = 0.25


def check(setup: Setup) -> list[Finding]:
    """Look for the layer with the largest fraction of each kind."""
    shares = {
        (kind, path): figures[kind]
        for path, figures in setup.layers.items()
        for kind in ("dead", "saturated")
        if kind in figures
    }
    if not shares:
        return skipped(NAME, "no activation has units that can die or saturate")
    (kind, path), share = max(shares.items(), key=lambda item: item[1])
    if share == 0:
        return ok(NAME, "none dead or saturated")
    message = f"{share:.0%} of those of {path} are {_MEANINGS[kind]}"
    if share > DEAD:
        return failed(NAME, message, _REMEDIES[kind])
    if share > SOME:
        return warning(NAME, message, _REMEDIES[kind])
    return ok(NAME, message)


_MEANINGS = {
    "dead": "0 for every row, and get no gradient",
    "saturated": "near a bound of the activation, where its derivative vanishes",
}
_REMEDIES = {
    "dead": "initializer: he with biases that start at zero, activation: leaky_relu, and scaled "
    "inputs",
    "saturated": "smaller initial weights (initializer: xavier), and dataset.transforms: "
    "[standardize]",
}
