"""`doctor`: the checks in their order, and what they find about a configuration."""

import time
from collections.abc import Callable, Sequence

from nettrain.config.plugins import in_use
from nettrain.data.in_memory import Columns, Data, with_target
from nettrain.data.loader import Loader
from nettrain.inspection.doctor import (
    against_baseline,
    batch_order,
    class_order,
    data_suspicions,
    gradient_check,
    gradients,
    initial_loss,
    initial_outputs,
    initial_weights,
    inputs,
    learning_rate,
    linear_model,
    more_data,
    one_batch,
    row_order,
    run_time,
    shuffled_labels,
    units,
    zeroed_inputs,
)
from nettrain.inspection.doctor.finding import Examination, Finding
from nettrain.inspection.doctor.setup import Setup
from nettrain.training.engine.blas import one_blas_thread
from nettrain.training.train import Configuration, load_for_data, prepare_run

SECONDS = 20.0  # by default

CHECKS: tuple[Callable[[Setup], list[Finding]], ...] = (
    data_suspicions.check,
    inputs.check,
    initial_weights.check,
    initial_loss.check,
    initial_outputs.check,
    gradients.check,
    units.check,
    gradient_check.check,
    batch_order.check,
    one_batch.check,
    learning_rate.check,
    against_baseline.check,
    row_order.check,
    linear_model.check,
    class_order.check,
    zeroed_inputs.check,
    shuffled_labels.check,
    more_data.check,
    run_time.check,
)


def doctor(
    config: Configuration,
    data: Data | None = None,
    *,
    target: Columns | None = None,
    sets: Sequence[str] = (),
    allow_plugins: bool = False,
    seconds: float = SECONDS,
    observe: Callable[[Finding], None] = lambda finding: None,
) -> Examination:
    """Find out whether a set-up is able to learn, before a long run. Writes nothing.

    Findings depend on the configuration, its seed and `seconds` alone, but for the time that the
    run will take: the numbers of steps are chosen from the sizes of model and data. The test part
    is used by no training and no judgement.

    Args:
        config: A YAML file, a mapping of the same form, or a RunConfig.
        data: Rows in memory instead of `dataset.source`, as `train` takes them.
        target: The column, or the columns, of a DataFrame to predict.
        sets: Overrides, such as "optimizer.lr=0.01".
        allow_plugins: Whether the Python files under `plugins` may be imported.
        seconds: About what the examination takes at most on one core of a laptop.
        observe: Called with each finding as soon as there is one.

    Returns:
        The findings.

    Raises:
        NettrainError: The configuration or its data cannot be used.

    Example:
        for finding in nettrain.doctor("digits.yaml").findings:
            print(finding.status, finding.name, finding.message, finding.remedy)
    """
    started = time.monotonic()
    rows, loader = with_target(data, target), Loader()
    loaded = load_for_data(config, rows, sets, allow_plugins=allow_plugins)
    with in_use(loaded.plugins), one_blas_thread():
        run = prepare_run(loaded, rows, allow_plugins=allow_plugins, loader=loader)
        setup, findings = Setup(run, seconds, rows, loader), list[Finding]()
        for check in CHECKS:
            for finding in check(setup):
                findings.append(finding)
                observe(finding)
    return Examination(tuple(findings), round(time.monotonic() - started, 1))
