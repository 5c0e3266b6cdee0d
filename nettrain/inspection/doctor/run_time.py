"""How long the run will take: the time of a step, measured, times the steps."""

import time

from nettrain.inspection.doctor.finding import Finding, ok
from nettrain.inspection.doctor.setup import Setup
from nettrain.training.evaluate import evaluate
from nettrain.training.loop import epoch_order
from nettrain.training.run import Run

NAME = "run time"
STEPS = 10
WARM_UP = 2  # steps that record the computation


def check(setup: Setup) -> list[Finding]:
    """Time some steps of the whole batch size, and one evaluation of the validation rows.

    With NumPy's kernels on the threads that a run uses; compiled kernels are faster.
    """
    run = setup.build(setup.sample.train, setup.sample.validation)
    order, size = epoch_order(run), setup.run.plan.step_rows
    with run.workers(None):
        for _ in range(WARM_UP):
            run.step(order[:size], run.rate)
        start = time.perf_counter()
        for _ in range(STEPS):
            run.step(order[:size], run.rate)
        step = (time.perf_counter() - start) / STEPS
        evaluation = _evaluation_seconds(setup, run)
    plan, epochs = setup.run.plan, setup.config.training.epochs
    total = epochs * (plan.steps_per_epoch * step + evaluation)
    stopping = setup.config.early_stopping
    sooner = "" if stopping is None else "; early stopping may end it sooner"
    return ok(
        NAME,
        f"about {_readable(total)}: {epochs:,} epochs of {plan.steps_per_epoch:,} steps, "
        f"{_number(1e3 * step)} ms per step{sooner}",
    )


def _evaluation_seconds(setup: Setup, run: Run) -> float:
    """Of the parts that are evaluated each epoch, from the time of the sample's validation rows."""
    sampled = run.parts.get("validation")
    if sampled is None:
        return 0.0
    start = time.perf_counter()
    outputs = run.outputs(sampled)
    evaluate(outputs, run.loss, run.pipeline, sampled, setup.run.plan.metrics)
    seconds = time.perf_counter() - start
    rows = sum(len(setup.run.parts[part]) for part in setup.run.plan.evaluated_parts)
    return seconds * rows / len(sampled)


def _readable(seconds: float) -> str:
    """Seconds, minutes or hours with two significant digits."""
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{_number(seconds / size)} {unit}"
    return f"{_number(seconds)} seconds"


def _number(value: float) -> str:
    """Two significant digits, and no exponent."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
