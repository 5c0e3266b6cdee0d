"""The learning rate, against the range in which the loss falls."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.inspection.doctor.finding import Finding, failed, ok, skipped, warning
from nettrain.inspection.doctor.setup import Setup
from nettrain.inspection.lr_range_test import STEPS as RANGE_STEPS
from nettrain.inspection.lr_range_test import find_lr, next_rows

NAME = "learning rate"
# Times the suggestion, a tenth of the rate at which the smoothed loss is lowest. Within this range
# nothing need be tried: above it the loss is about to rise, and a thirtieth still learns in a few
# epochs.
LOW, HIGH = 1 / 30, 3.0
STEPS = 120  # of the trial that decides outside the range
LAST = 30  # of them are averaged: single batches scatter
LARGEST_SHARE = 0.2  # of the time, that the range test may take; trials take as much again
# Of the way from the baseline to the loss that the suggested rate reaches.
ENOUGH, HARDLY = 0.5, 0.1
# Times the loss at the start: a rate below the edge of stability may raise the loss of single
# batches, but not tenfold.
JUMP = 10.0


def check(setup: Setup) -> list[Finding]:
    """Run the range test; where the rate lies outside the range, try it beside the suggestion.

    A low rate can be made up for by steps: a step moves the weights by the rate times something
    that hardly depends on it, so T steps at lr go about as far as n steps at lr T / n.
    """
    if setup.uses_closure:
        return skipped(NAME, f"{setup.config.optimizer.name()} chooses its steps itself")
    if not setup.work.allows(RANGE_STEPS, LARGEST_SHARE):
        return skipped(NAME, setup.work.too_slow)
    start = setup.constant[1]
    if start <= setup.run.loss.lower_bound:
        return skipped(NAME, f"constant outputs reach the lowest loss that there is, {start:.3g}")
    lr = setup.config.optimizer.lr
    curve = find_lr(setup.build(setup.sample.train))
    suggestion = curve.suggestion
    if suggestion is None:
        tested = f"from {curve.rates[0]:g} to {curve.rates[-1]:g}" if curve.rates else "at all"
        return warning(
            NAME,
            f"{lr:g}; the loss falls at no rate {tested}",
            "look at the other findings first: the data, the loss, the initial weights",
        )
    message = f"{lr:g}; --find-lr suggests {suggestion:g}"
    if LOW * suggestion <= lr <= HIGH * suggestion:
        return ok(NAME, message)
    total = setup.run.plan.steps_per_epoch * setup.config.training.epochs
    tried = lr if lr > suggestion else min(suggestion, lr * max(1.0, total / STEPS))
    trial, better = _trial(setup, tried), _trial(setup, suggestion)
    share = (start - trial.last) / (start - better.last) if better.last < start else 1.0
    jumps = trial.highest > JUMP * max(trial.first, start) and lr > suggestion
    if share >= ENOUGH and not jumps:
        return ok(NAME, f"{message}, and learns too")
    reached = f"{trial.last:.3g}" if math.isfinite(trial.last) else "not finite"
    long = f" (as far as all {total:,} steps go)" if lr < tried < suggestion else ""
    peak = f" after a jump to {trial.highest:.3g}" if jumps and math.isfinite(trial.last) else ""
    message += (
        f": {STEPS} steps reach a loss of {reached}{long}{peak}, and of {better.last:.3g} at "
        f"{suggestion:g}; baseline {start:.3g}"
    )
    report = warning if share >= HARDLY and not jumps else failed
    return report(NAME, message, f"optimizer.lr: {suggestion:g}")


@dataclass(frozen=True)
class _Trial:
    """The training loss of some steps at one rate; inf from where it is not finite.

    Attributes:
        first: Of the first step.
        highest: Of any later one.
        last: The mean of the last ones.
    """

    first: float
    highest: float
    last: float


def _trial(setup: Setup, lr: float) -> _Trial:
    """Train at a constant rate, which a run with a warm-up reaches after a quarter of the steps."""
    run, losses = setup.build(setup.sample.train), np.full(STEPS, np.inf)
    rising = STEPS // 4 if setup.config.schedule.warmup else 1
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for step in range(STEPS):
            rows = next_rows(run)
            loss = run.step(rows, lr * min(1.0, (step + 1) / rising))
            if not math.isfinite(loss):
                break
            losses[step] = loss / (run.step.weight(rows) or 1)
    return _Trial(float(losses[0]), float(losses[1:].max()), float(losses[-LAST:].mean()))
