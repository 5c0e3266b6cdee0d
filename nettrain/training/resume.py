"""`resume`: continue an interrupted run, or extend a finished one."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from nettrain.component import to_mapping
from nettrain.config.load import load
from nettrain.config.plugins import described_failures
from nettrain.config.run_config import RunConfig
from nettrain.data.in_memory import Columns, Data, with_target
from nettrain.errors import RunError
from nettrain.schedules import schedules_within
from nettrain.training.artifacts.checkpoint import Checkpoint, configuration
from nettrain.training.artifacts.run_directory import RunDirectory
from nettrain.training.callbacks import Callback
from nettrain.training.distributed.agreement import check_agreement
from nettrain.training.distributed.group import OneProcess, ProcessGroup
from nettrain.training.distributed.written_by_first import written_by_first
from nettrain.training.engine.blas import one_blas_thread
from nettrain.training.engine.threads import usable_threads
from nettrain.training.finish import train_to_end
from nettrain.training.initialize import initial_weights
from nettrain.training.result import Result
from nettrain.training.run import Run
from nettrain.training.train import check_loggers, load_for_data, plan_and_data

# What may change on a resume. Only the kernels change the bits of a step, which is reported.
EXTENDABLE = (
    "name",
    "training.epochs",
    "early_stopping",
    "training.kernels",
    "training.loggers",
    "baseline",
)


def resume(
    run_directory: str | os.PathLike[str],
    data: Data | None = None,
    *,
    target: Columns | None = None,
    sets: Sequence[str] = (),
    allow_plugins: bool = False,
    threads: int | None = None,
    callbacks: Sequence[Callback] = (),
    group: ProcessGroup | None = None,
) -> Result:
    """Continue an interrupted run, or extend a finished one (`sets=["training.epochs=60"]`).

    The result is bitwise identical to that of a run without the break. A run that was stopped
    before its first checkpoint starts again.

    Args:
        run_directory: Of the run.
        data: The rows it was trained on, if they were in memory; see `train`.
        target: As in `train`.
        sets: Overrides of what may change: the length of the run, its kernels and baselines.
        allow_plugins: Whether the Python files under `plugins` may be imported.
        threads: See `train`.
        callbacks: Those that the run had; what they remember is restored.
        group: See `train`; as many processes as before, or not.

    Returns:
        What summary.json holds.

    Raises:
        RunError: The data or anything but the length of the run has changed.
        CheckpointError: The checkpoint is damaged.
    """
    group = group or OneProcess()
    threads = usable_threads(threads, group)
    data = with_target(data, target)

    def opened() -> RunDirectory:
        return RunDirectory.open(Path(run_directory))

    with written_by_first(group, opened) as directory, one_blas_thread():
        run, last = group.together(
            lambda: _resumed_run(directory, data, sets, allow_plugins=allow_plugins, group=group)
        )
        check_agreement(run.plan, run.prepared.fingerprint, group)
        with described_failures(run.config.plugins):
            return train_to_end(run, directory, callbacks, threads, last=last)


def _resumed_run(
    directory: RunDirectory,
    data: Data | None,
    sets: Sequence[str],
    *,
    allow_plugins: bool,
    group: ProcessGroup,
) -> tuple[Run, Checkpoint | None]:
    """The run, and the checkpoint from which it goes on; None: it begins again."""
    last = Checkpoint.read(directory.last) if directory.last.exists() else None
    written: Path | RunConfig = directory.config
    if last is not None and not directory.config.is_file():
        written = configuration(last, directory.last, allow_plugins=allow_plugins)
    config = load_for_data(written, data, sets, allow_plugins=allow_plugins)
    earlier = _earlier(directory, last, allow_plugins=allow_plugins)
    _check_extension(earlier, config, directory)
    if last is not None and config.training.kernels == "auto":
        training = dataclasses.replace(
            config.training, kernels=earlier.training.kernels
        )  # decided once
        config = dataclasses.replace(config, training=training)
    check_loggers(config)
    plan, prepared = plan_and_data(config, data)
    with described_failures(config.plugins):
        run = Run(plan, prepared, directory, group)
        if last is None:
            initial_weights(plan.layers, config.initialize_from).copy_into(run.network)
        else:
            _check_data(last, run, directory)
            run.notes += _changes(earlier, config)
    return run, last


def _earlier(directory: RunDirectory, last: Checkpoint | None, *, allow_plugins: bool) -> RunConfig:
    """The configuration so far: the checkpoint's, as config.yaml may have been edited."""
    if last is None:
        return load(directory.config, allow_plugins=allow_plugins)
    return configuration(last, directory.last, allow_plugins=allow_plugins)


def _check_data(last: Checkpoint, run: Run, directory: RunDirectory) -> None:
    if last.metadata(directory.last).data_fingerprint != run.prepared.fingerprint:
        raise RunError(
            f"{directory.path}: the data has changed since the run began; train again instead of "
            "resuming"
        )


def _changes(earlier: RunConfig, config: RunConfig) -> list[str]:
    """What the user should know of the changes."""
    notes = []
    before, kernels = earlier.training.kernels, config.training.kernels
    if kernels != before:
        notes.append(
            f"training.kernels: {kernels} instead of {before} from here on, so the bits differ "
            "from those of one run"
        )
    epochs = config.training.epochs
    schedules = [config.schedule, *schedules_within(config.model)]
    schedules += schedules_within(config.optimizer) + schedules_within(config.regularization)
    named = {one.name(): None for one in schedules if one.depends_on_horizon}
    if epochs != earlier.training.epochs and named:
        notes.append(
            f"the schedule {' and '.join(named)} depends on training.epochs: this differs from "
            f"an uninterrupted run of {epochs} epochs"
        )
    return notes


def _check_extension(earlier: RunConfig, config: RunConfig, directory: RunDirectory) -> None:
    """Only the length of a run may change on a resume; anything else would be another run."""
    changed = [
        key
        for key in differences(to_mapping(earlier), to_mapping(config))
        if not key.startswith(EXTENDABLE)
    ]
    if changed:
        raise RunError(
            f"{directory.path}: {', '.join(changed)} cannot change when a run is resumed (only "
            "training.epochs, training.kernels, training.loggers, early_stopping and baseline "
            "can): start a new run with nettrain fit"
        )


def differences(a: object, b: object, path: str = "") -> list[str]:
    """The dotted paths at which two plain values differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        keys = list(dict.fromkeys([*a, *b]))
        return [
            different
            for key in keys
            for different in differences(a.get(key), b.get(key), f"{path}.{key}".lstrip("."))
        ]
    return [] if a == b else [path]
