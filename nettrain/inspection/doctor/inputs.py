"""The network's inputs after the transforms: of size 1, and none of them constant."""

import numpy as np

from nettrain.inspection.doctor.finding import Finding, failed, ok, warning
from nettrain.inspection.doctor.setup import Setup

NAME = "inputs"
# Root mean square of an input. Standardized inputs have 1, pixels from 0 to 1 less, and pixels up
# to 255, which train badly, about 100. The gradient of a weight grows with its input, the curvature
# of the loss with the input's square: at 100 the largest rate is a ten-thousandth of that at 1.
LARGE = 30.0
HUGE = 1_000.0
SHOWN = 3


def check(setup: Setup) -> list[Finding]:
    """Look at the size and the spread of every input over the training rows."""
    x = setup.sample.train.x
    flat = np.asarray(x).reshape(len(x), -1)
    with np.errstate(over="ignore"):
        sizes = np.sqrt(np.mean(flat.astype(np.float64) ** 2, axis=0))
    varies = np.ptp(flat, axis=0) > 0
    if not varies.any() and len(flat) > 1:
        return failed(
            NAME,
            "every row is the same: no input varies",
            "the columns or files of dataset.source, and its transforms",
        )
    cardinalities = setup.run.pipeline.cardinalities
    sizes[len(sizes) - len(cardinalities) :] = 0  # codes of categories are looked up in tables
    large = np.flatnonzero(sizes > LARGE)
    if len(large):
        worst = float(sizes.max())
        named = _named(setup, large[np.argsort(-sizes[large], kind="stable")])
        report = failed if worst > HUGE else warning
        return report(
            NAME,
            f"{named}: root mean square up to {worst:.3g}, where about 1 trains well",
            "dataset.transforms: [standardize]" + ("" if setup.is_table else " or [scale]"),
        )
    message = f"{flat.shape[1]:,} of root mean square up to {sizes.max():.3g}"
    constant = np.flatnonzero(~varies)
    if not len(constant) or not setup.is_table:  # pixels at the border often are
        return ok(NAME, message)
    return warning(
        NAME,
        f"{_named(setup, constant)}: constant, the same in all {len(flat):,} training rows",
        "list the column under dataset.source's ignore, if it is not made by mistake",
    )


def _named(setup: Setup, places: np.ndarray) -> str:
    """The inputs at these places, the first few by name."""
    if not setup.is_table:
        return f"{len(places):,} pixels"
    names = [repr(setup.run.pipeline.names[place]) for place in places[:SHOWN]]
    more = len(places) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")
