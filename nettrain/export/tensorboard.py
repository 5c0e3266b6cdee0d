"""`--to tensorboard`: event files of a run or a sweep, written after the training."""

from pathlib import Path

from nettrain.config.logger import LoggedRun, RunLog
from nettrain.errors import ConfigError
from nettrain.export.logged import log_again, outside_of_sweep, runs_to_log
from nettrain.export.target import Exported, Request
from nettrain.training.logged_run import logged_group
from nettrain.training.loggers._events import PATTERN
from nettrain.training.loggers.tensorboard import EventLog, Tensorboard, write_experiment


def export(request: Request) -> Exported:
    """Write event files into a folder; those of a sweep into one per trial.

    Raises:
        ConfigError: The extra is not installed, or the folder holds event files already.
        RunError: There is no run, or it is still being trained.
    """
    Tensorboard().check()
    runs, sweep = runs_to_log(request.subject), logged_group(request.subject)
    folder = request.output or Path(f"{request.subject.resolve().name}-tensorboard")
    _make_room(folder, overwrite=request.overwrite)
    if sweep is not None:
        write_experiment(sweep, folder)

    def open_log(run: LoggedRun) -> RunLog:
        if sweep is None:
            return EventLog(outside_of_sweep(run), folder)
        return EventLog(run, folder / run.name)

    for run in runs:
        log_again(run, open_log, allow_plugins=request.allow_plugins)
    lines = [f"{len(runs)} run{'s' * (len(runs) > 1)}; look: tensorboard --logdir {folder}"]
    return Exported(lines, {"to": "tensorboard", "folder": str(folder), "runs": len(runs)})


def _make_room(folder: Path, *, overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"-o {folder}: is a file; name a folder")
    existing = sorted(folder.rglob(PATTERN)) if folder.is_dir() else []
    if existing and not overwrite:
        raise ConfigError(
            f"-o {folder}: holds event files already; choose another name, or add --overwrite to "
            "replace them"
        )
    for file in existing:
        file.unlink()
