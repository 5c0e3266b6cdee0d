"""The Optuna export: a sweep as a study in a database, for Optuna's dashboard, plots and tools."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from nettrain.errors import ConfigError
from nettrain.search.sweep.config import Sweep
from nettrain.search.sweep.optuna_space import distributions, to_optuna
from nettrain.search.sweep.proposers.optuna_proposer import quiet
from nettrain.search.sweep.trial import Trial
from nettrain.training.artifacts.directory import numbered_names

ATTEMPTS = 50  # to open a database that other processes create at the same time
BUSY = 60  # seconds that SQLite waits for another process
RACES = ("already exists", "duplicate", "UNIQUE", "locked")  # in the words of several databases
OWNER = "sweep_directory"  # the study's attribute that says whose it is
STATES = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED}  # all others: FAIL


class OptunaExport:
    """Writes a study with the name of the sweep directory.

    It gets a suffix where another sweep's study has that name (digits-2). It is written when the
    trials have ended or are interrupted, not as each ends: a call of SQLite takes longer than many
    a trial.
    """

    def __init__(self, url: str) -> None:
        """Raises ConfigError where no study can be written there."""
        self.url = url
        try:
            with self._open():
                pass
        except (SQLAlchemyError, ImportError, ValueError, optuna.exceptions.OptunaError) as error:
            raise ConfigError(
                f"--study {url}: {_reason(error)}; expected the URL of a database that can be "
                "written, such as sqlite:///study.db"
            ) from None
        except RuntimeError as error:  # Optuna's word for tables of another release
            raise ConfigError(f"--study {url}: {_reason(error)}") from None

    def write(
        self,
        directory: Path,
        sweep: Sweep,
        trials: Sequence[Trial],
        reports: Callable[[Trial], Mapping[int, float]],
    ) -> list[str]:
        """All trials of a sweep, in order. Gives a note where that failed."""
        owner = str(directory.absolute())
        try:
            with self._open() as storage:
                study = _create(storage, directory.name, owner, maximize=sweep.maximize)
                study.set_user_attr(OWNER, owner)
                study.set_metric_names([sweep.spec.metric.name])
                known = distributions(sweep.space)
                study.add_trials(
                    [_frozen(trial, sweep, known, reports(trial), directory) for trial in trials]
                )
        except (SQLAlchemyError, optuna.exceptions.OptunaError) as error:
            remedy = (
                "the sweep is complete without it; to write it again: "
                f"nettrain sweep --resume {directory} --study URL"
            )
            return [f"--study {self.url}: {_reason(error)}; {remedy}"]
        return []

    @contextmanager
    def _open(self) -> Iterator[RDBStorage]:
        with quiet():
            storage = _storage(self.url)
            try:
                yield storage
            finally:
                storage.remove_session()
                storage.engine.dispose()


def _storage(url: str) -> RDBStorage:
    """Open a database, and create Optuna's tables in it where there are none.

    Optuna looks whether a table is there and then creates it, so that of several processes that
    begin on a new database all but one may fail. Those try again.

    SQLite's connections are closed after use: a pool would keep that of a database which Optuna
    refuses open, and nobody could close it.
    """
    options: dict[str, Any] = {}
    if url.startswith("sqlite:"):
        options = {"connect_args": {"timeout": BUSY}, "poolclass": NullPool}
    for _ in range(ATTEMPTS - 1):
        try:
            return RDBStorage(url, engine_kwargs=options)
        except (DBAPIError, optuna.exceptions.StorageInternalError) as error:
            if not any(word in _reason(error) for word in RACES):
                raise
            time.sleep(0.01 + os.getpid() % 90 / 1000)  # processes do not try in step
    return RDBStorage(url, engine_kwargs=options)


def _free_name(storage: RDBStorage, wanted: str, owner: str) -> str:
    """A name that no other sweep's study has; an earlier state of this sweep's is removed."""
    owners = {
        one.study_name: one.user_attrs.get(OWNER)
        for one in optuna.get_all_study_summaries(storage, include_best_trial=False)
    }
    names = numbered_names(wanted)
    name = next(name for name in names if owners.get(name, owner) == owner)
    if name in owners:
        optuna.delete_study(study_name=name, storage=storage)
    return name


def _create(storage: RDBStorage, wanted: str, owner: str, *, maximize: bool) -> optuna.Study:
    """A new study; another process may take the name that was free a moment ago."""
    while True:
        name = _free_name(storage, wanted, owner)
        try:
            return optuna.create_study(
                storage=storage,
                study_name=name,
                direction="maximize" if maximize else "minimize",
            )
        except optuna.exceptions.DuplicatedStudyError:
            continue


def _frozen(
    trial: Trial,
    sweep: Sweep,
    known: Mapping[str, Any],
    reports: Mapping[int, float],
    directory: Path,
) -> FrozenTrial:
    run = directory / trial.run_directory
    # Few, for each is a query of some milliseconds.
    attributes = {
        "run_directory": str(run.absolute()),
        "status": trial.status,
        "message": trial.message,
        "same_as": trial.same_as,
    }
    frozen = optuna.trial.create_trial(
        state=STATES.get(trial.status, TrialState.FAIL),
        value=trial.metric if trial.status in STATES else None,
        params=to_optuna(trial.parameters, sweep.space),
        distributions={path: known[path] for path in trial.parameters},
        user_attrs={key: value for key, value in attributes.items() if value not in (None, "")},
        intermediate_values=dict(reports),
    )
    frozen.datetime_complete = (
        datetime.fromtimestamp(run.stat().st_mtime) if run.exists() else datetime.now()
    )
    frozen.datetime_start = frozen.datetime_complete - timedelta(seconds=trial.seconds)
    return frozen


def _reason(error: Exception) -> str:
    """The first line of what a database says."""
    cause = getattr(error, "orig", None) or error.__cause__ or error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__
