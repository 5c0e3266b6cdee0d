"""`train`: the one entry that fit, searches and Python all call."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from nettrain.config.checks import name_problem
from nettrain.config.load import load
from nettrain.config.plugins import described_failures, in_use
from nettrain.config.run_config import RunConfig
from nettrain.data.in_memory import Columns, Data, with_target
from nettrain.data.loader import Loader
from nettrain.data.prepare import PreparedData, prepare
from nettrain.errors import ConfigError
from nettrain.training.artifacts.run_directory import RunDirectory
from nettrain.training.build import data_seed, target_requirements
from nettrain.training.callbacks import Callback
from nettrain.training.callbacks.progress import progress_callbacks
from nettrain.training.distributed.agreement import check_agreement
from nettrain.training.distributed.group import OneProcess, ProcessGroup
from nettrain.training.distributed.written_by_first import written_by_first
from nettrain.training.engine.blas import one_blas_thread
from nettrain.training.engine.threads import usable_threads
from nettrain.training.finish import train_to_end
from nettrain.training.initialize import InitialWeights, initial_weights
from nettrain.training.result import Result
from nettrain.training.run import Run
from nettrain.training.run_plan import RunPlan, plan_run

Configuration = str | os.PathLike[str] | Mapping[str, object] | RunConfig


def train(
    config: Configuration,
    data: Data | None = None,
    *,
    target: Columns | None = None,
    sets: Sequence[str] = (),
    output_directory: str | os.PathLike[str] = "runs",
    run_name: str | None = None,
    overwrite: bool = False,
    allow_plugins: bool = False,
    threads: int | None = None,
    callbacks: Sequence[Callback] = (),
    loader: Loader | None = None,
    held_out: Sequence[str] = (),
    progress: bool | None = None,
    group: ProcessGroup | None = None,
) -> Result:
    """Train one network and leave a run directory.

    Nothing is written before configuration, data and network have been found good.

    Args:
        config: A YAML file, a mapping of the same form, or a RunConfig.
        data: Rows in memory instead of `dataset.source`: (x, y), (x, y, weights) with the weight of
            each row in the loss, or a DataFrame that holds its target. x is an array or a
            DataFrame (pandas, polars), whose columns of strings are categories.
        target: The column, or the columns, of the DataFrame to predict.
        sets: Overrides, such as "optimizer.lr=0.01".
        output_directory: Where the run directory is made.
        run_name: Exactly this name; None: the configuration's, with a suffix where it is taken.
        overwrite: Whether a run of that name is replaced.
        allow_plugins: Whether the Python files under `plugins` may be imported.
        threads: Of steps and evaluation; None: as many as cores. Results are identical for any
            number of threads.
        callbacks: Observe the run; on a resume, hand in the same.
        loader: Remembers the data that other runs of this process have loaded.
        held_out: Parts that are not evaluated at the end, such as the test part while settings are
            still compared.
        progress: True shows the progress of the run, False does not; None: in notebooks alone.
        group: Processes that train it together, each of which makes this call (`mpi_group`); None:
            this one alone. Results are identical for any number of them. Callbacks are called in
            each; only process 0 has a `run.directory`.

    Returns:
        What summary.json holds.

    Raises:
        NettrainError: What the user can mend.
        Diverged: The loss or the weights became NaN or infinite.
        Interrupted: SIGINT, SIGTERM or SIGHUP ended the run, after a checkpoint.

    Example:
        result = nettrain.train("digits.yaml", sets=["training.epochs=10"])
        print(result.metrics["test"]["accuracy"])
    """
    if run_name is not None and (problem := name_problem(run_name)):
        raise ConfigError(f"run_name: {problem}")
    group = group or OneProcess()
    threads = usable_threads(threads, group)
    data = with_target(data, target)
    plan, prepared, initial = group.together(
        lambda: _prepared(config, data, sets, allow_plugins, loader)
    )
    with described_failures(plan.config.plugins), one_blas_thread():
        check_agreement(plan, prepared.fingerprint, group)
        name = run_name or plan.config.name or "run"

        def create() -> RunDirectory:
            parent, exact = Path(output_directory), run_name is not None
            return RunDirectory.create(parent, name, exact=exact, overwrite=overwrite)

        with written_by_first(group, create) as directory:
            run = Run(plan, prepared, directory, group)
            initial.copy_into(run.network)
            shown = progress_callbacks(False if progress is None and loader else progress)
            observers = [*callbacks, *(shown if group.rank == 0 else [])]
            return train_to_end(run, directory, observers, threads, held_out=held_out)


def prepare_run(
    config: Configuration,
    data: Data | None = None,
    sets: Sequence[str] = (),
    *,
    allow_plugins: bool = False,
    loader: Loader | None = None,
) -> Run:
    """Everything before the first batch, nothing of it on disk: configuration, data, network.

    The arguments are those of `train`.
    """
    plan, prepared, initial = _prepared(config, data, sets, allow_plugins, loader)
    with described_failures(plan.config.plugins):
        run = Run(plan, prepared)
        initial.copy_into(run.network)
        return run


def _prepared(
    config: Configuration,
    data: Data | None,
    sets: Sequence[str],
    allow_plugins: bool,
    loader: Loader | None,
) -> tuple[RunPlan, PreparedData, InitialWeights]:
    loaded = load_for_data(config, data, sets, allow_plugins=allow_plugins)
    check_loggers(loaded)
    plan, prepared = plan_and_data(loaded, data, loader)
    return plan, prepared, initial_weights(plan.layers, loaded.initialize_from)


def check_loggers(config: RunConfig) -> None:
    """Raises ConfigError where a logger lacks its package or has a wrong setting."""
    for place, logger in enumerate(config.training.loggers):
        try:
            logger.check()
        except ConfigError as error:
            raise ConfigError(f"training.loggers[{place}]: {error}") from None


def load_for_data(
    config: Configuration, data: Data | None, sets: Sequence[str], *, allow_plugins: bool
) -> RunConfig:
    """The configuration, its source replaced by the arrays in memory if there are any."""
    memory = [] if data is None else ["dataset.source=memory"]
    return load(config, [*sets, *memory], allow_plugins=allow_plugins)


def plan_and_data(
    config: RunConfig, data: Data | None = None, loader: Loader | None = None
) -> tuple[RunPlan, PreparedData]:
    """The data of a configuration, and what is decided for a run on it."""
    with in_use(config.plugins):
        prepared = prepare(
            config.dataset,
            data_seed(config),
            data=data,
            dtype=config.dtype,
            requirements=target_requirements(config.loss),
            class_weights=config.training.class_weights,
            loader=loader,
            target_transforms=config.model.target_transforms,
        )
        many_runs = loader is not None and loader.many_runs
        return plan_run(config, prepared, shares_process=many_runs), prepared
