"""Targets that belong to the row before or after."""

from dataclasses import dataclass

import numpy as np

from nettrain.inspection.doctor.against_baseline import beats_baseline
from nettrain.inspection.doctor.finding import Finding, failed, ok, skipped
from nettrain.inspection.doctor.paired import Difference, paired_difference
from nettrain.inspection.doctor.sample import inputs_of, truth_of
from nettrain.inspection.doctor.setup import Setup
from nettrain.inspection.doctor.squared_error import constant_predictions, squared_errors
from nettrain.inspection.doctor.standardized_linear import fit_standardized

NAME = "row order"
# Standard errors by which a linear model beats the baseline: below the first it has found nothing,
# above the second it has for certain, though two shifts are tried.
NOTHING, CERTAIN = 3.0, 5.0
LEAST_SKILL = 0.1  # of the baseline's error that the shifted targets must explain
LEAST_ROWS = 20
SHIFTS = {1: "the row after", -1: "the row before"}


def check(setup: Setup) -> list[Finding]:
    """Fit a linear model to the targets as they are, and to those of the neighbouring rows.

    Only where the features tell nothing about their own target and much about a neighbour's, the
    targets are shifted: in rows sorted by time or class neighbours are alike, and nothing is said.
    """
    if setup.sample.validation is None:
        return skipped(NAME, "there are no rows to judge on")
    if beats_baseline(setup):
        return ok(NAME, "the network learns the targets as they are")
    as_it_is = _skill(setup, 0)
    if as_it_is is None:
        return skipped(NAME, "there is no linear model, or too few neighbouring rows")
    if as_it_is.gain.exceeds(NOTHING):
        return ok(NAME, f"a linear model explains {as_it_is.share:.0%} of the targets as they are")
    for shift, what in SHIFTS.items():
        shifted = _skill(setup, shift)
        if shifted is not None and shifted.gain.exceeds(CERTAIN) and shifted.share > LEAST_SKILL:
            return failed(
                NAME,
                f"a linear model explains {max(as_it_is.share, 0):.0%} of a row's own target, and "
                f"{shifted.share:.0%} of that of {what}",
                "targets and features are shifted against each other by one row: join them by a "
                "key, and look for a header that one file has and the other has not",
            )
    return ok(NAME, "a linear model explains neither a row's own target nor a neighbour's")


@dataclass(frozen=True)
class _Skill:
    """Of a linear model on validation rows.

    Attributes:
        share: Of the baseline's squared error that it explains.
        gain: Over the baseline, in squared error per row.
    """

    share: float
    gain: Difference


def _skill(setup: Setup, shift: int) -> _Skill | None:
    """That of a model of the target so many rows further on in the source; None: too few rows."""
    sample, task = setup.sample, setup.task
    x, truth = _shifted(setup, "train", sample.train_rows, inputs_of(sample.train), shift)
    if sample.validation is None or len(x) < LEAST_ROWS:
        return None
    linear = fit_standardized(setup.run.pipeline, x, truth)
    judged_x = inputs_of(sample.validation)
    x, judged = _shifted(setup, sample.judged, sample.validation_rows, judged_x, shift)
    if linear is None or len(x) < LEAST_ROWS:
        return None
    constant = constant_predictions(task, truth, setup.target_size, len(x))
    baseline = squared_errors(task, judged, constant)
    gain = paired_difference(baseline, squared_errors(task, judged, linear.predictions(x, task)))
    return _Skill(gain.mean / (float(baseline.mean()) or 1.0), gain)


def _shifted(
    setup: Setup, part: str, rows: np.ndarray, x: np.ndarray, shift: int
) -> tuple[np.ndarray, np.ndarray]:
    """The inputs of rows whose neighbour in the source is known, and the neighbour's targets."""
    run = setup.run
    apart = run.config.dataset.validation_source is not None and part == "validation"
    names = ["validation"] if apart else ["train"]
    if not apart and run.config.dataset.validation_source is None and "validation" in run.parts:
        names.append("validation")
    places = np.concatenate([run.prepared.rows[name] for name in names])
    known = np.concatenate([truth_of(run.parts[name]) for name in names])
    at = np.full(places.max() + 2, -1)  # -1 before the first and after the last row
    at[places] = np.arange(len(places))
    neighbour = at[np.minimum(run.prepared.rows[part][rows] + shift, len(at) - 1)]
    return x[neighbour >= 0], known[neighbour[neighbour >= 0]]
