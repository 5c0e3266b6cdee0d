"""`sweep` and `resume_sweep`: the one entry of the command and of Python."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nettrain.config.dump import dump
from nettrain.config.plugins import in_use
from nettrain.errors import ConfigError
from nettrain.metrics import metric_names
from nettrain.search.executors.base import DatasetInfo, Ended, Executor
from nettrain.search.executors.registry import executor_for
from nettrain.search.final import final_job
from nettrain.search.sweep.config import Sweep, load_sweep
from nettrain.search.sweep.directory import SweepDirectory
from nettrain.search.sweep.importances import comparable, importances
from nettrain.search.sweep.proposers.base import Proposer
from nettrain.search.sweep.proposers.registry import optuna_for, proposer_for
from nettrain.search.sweep.significance import noise_note
from nettrain.search.sweep.trial import Trial, ranked
from nettrain.search.sweep.trial_runs import TrialRuns
from nettrain.search.sweep.trials import Observer, Trials
from nettrain.training.artifacts.files import write_json
from nettrain.training.loop import Interrupted
from nettrain.training.signals import stop_signals

if TYPE_CHECKING:
    from nettrain.search.sweep.optuna_export import Study

POLL = 0.2  # seconds between two looks at the clock and at signals


@dataclass(frozen=True)
class SweepResult:
    """What a sweep came to.

    trials   in order
    ranking  those with a score, the best first; repeated settings once
    best     the winner, None where no trial finished
    test     the metrics of the winner, trained anew on all other rows, on the test part; None where there is none
    notes    what to keep in mind, a sentence each
    """

    directory: str
    metric: str
    trials: list[Trial]
    ranking: list[Trial]
    best: Trial | None
    test: dict[str, float] | None
    notes: list[str]


def sweep(
    config: str | os.PathLike[str] | Mapping[str, object] | Sweep,
    *,
    sets: Sequence[str] = (),
    trials: int | None = None,
    output_directory: str | os.PathLike[str] = "runs",
    run_name: str | None = None,
    executor: str | Executor = "local",
    workers: int | None = None,
    allow_plugins: bool = False,
    observer: Observer | None = None,
    study: str | None = None,
) -> SweepResult:
    """Compare settings of a run, and leave a sweep directory.

    config    a YAML file, a mapping of the same form, or a sweep that is loaded, which the next two and allow_plugins do not change
    sets      overrides of the sweep's keys, or of its base's: "method=grid", "training.epochs=3"
    trials    the same as "trials=N"
    run_name  exactly this name in output_directory; None: the sweep's, with a suffix where it is taken
    executor  local, serial, or an executor that is ready
    workers   runs side by side; None: as many as cores. They change no result, but with `bayes` and where trials are given up early
    study     the URL of a database, sqlite:///study.db, in which the sweep is left as an Optuna study too

    Raises NettrainError for what the user can mend; Interrupted after SIGINT or SIGTERM, from which `resume_sweep` goes on.
    """
    found = (
        config
        if isinstance(config, Sweep)
        else load_sweep(config, sets, trials=trials, allow_plugins=allow_plugins)
    )
    with in_use(found.base.plugins), _ready(executor, workers) as ready:
        facts = _facts(found, ready)
        proposer, kept = proposer_for(found), _study(study)
        directory = SweepDirectory.create(
            Path(output_directory),
            run_name or found.spec.name or "sweep",
            exact=run_name is not None,
        )
        with directory.locked():
            directory.write_spec(found.spec)
            return _Session(
                found, directory, ready, facts, proposer, observer or Observer(), kept
            ).run()


def resume_sweep(
    path: str | os.PathLike[str],
    *,
    trials: int | None = None,
    executor: str | Executor = "local",
    workers: int | None = None,
    allow_plugins: bool = False,
    observer: Observer | None = None,
    study: str | None = None,
) -> SweepResult:
    """Go on with an interrupted sweep, or extend a finished one to so many trials: the same table as without the break.

    Runs that were under way are made again. Raises RunError where there is no sweep, or one that another process works on.
    """
    directory = SweepDirectory.open(Path(path))
    with directory.locked():
        found = load_sweep(directory.spec, trials=trials, allow_plugins=allow_plugins)
        recorded = directory.recorded()
        if trials is not None:
            if recorded and trials <= max(trial.index for trial in recorded):
                raise ConfigError(
                    f"--trials {trials}: {directory.rows} holds {len(recorded)} trials already; name more, or leave it out"
                )
            directory.write_spec(found.spec)
        with in_use(found.base.plugins), _ready(executor, workers) as ready:
            facts, proposer, kept = _facts(found, ready), proposer_for(found), _study(study)
            return _Session(
                found, directory, ready, facts, proposer, observer or Observer(), kept, recorded
            ).run()


def _study(url: str | None) -> "Study | None":
    if url is None:
        return None
    with optuna_for("--study"):
        from nettrain.search.sweep.optuna_export import Study
    return Study(url)


@contextmanager
def _ready(executor: str | Executor, workers: int | None) -> Iterator[Executor]:
    """An executor, ended with the block if it was made here."""
    if isinstance(executor, Executor):
        yield executor
        return
    with executor_for(executor, workers) as made:
        yield made


def _facts(found: Sweep, executor: Executor) -> DatasetInfo:
    """Load the data where the runs will be. Raises where it cannot be trained on, or the metric is never logged."""
    spec = found.spec
    if spec.cross_validation is None:
        return executor.prepare(found.mapping({}), spec.metric.name)
    facts = executor.prepare(found.mapping({}))
    part, _, metric = spec.metric.name.partition("_")
    if metric != "loss" and metric not in metric_names(facts.task):
        raise ConfigError(
            f"metric.name: {metric} is no metric of {facts.task}; there are: loss, {', '.join(metric_names(facts.task))}"
        )
    if spec.early_terminate.type != "none" and part not in facts.rows:
        raise ConfigError(
            f"early_terminate: {spec.metric.name} is not known after each epoch: set dataset.split.validation in the base"
        )
    return facts


class _Session:
    """From the first trial of this process to the end."""

    def __init__(
        self,
        found: Sweep,
        directory: SweepDirectory,
        executor: Executor,
        facts: DatasetInfo,
        proposer: Proposer,
        observer: Observer,
        study: "Study | None",
        recorded: Sequence[Trial] = (),
    ) -> None:
        self.sweep = found
        self.directory = directory
        self.executor = executor
        self.facts = facts
        self.observer = observer
        self.study = study
        self.notes = list(executor.notes)
        self.runs = TrialRuns(found, directory.path.absolute(), facts, observer.pause)
        limit = found.spec.trials
        self.trials = Trials(
            self.runs, proposer, executor, observer, limit=limit, record=directory.append
        )
        self.trials.recall(list(recorded))

    def run(self) -> SweepResult:
        """All trials, the summary, the winner's last run."""
        self.observer.begin(self.sweep, self.sweep.total(), self._in_order())
        with stop_signals() as signalled:
            try:
                while self.trials.fill():
                    self._check(signalled)
                    event = self.executor.next_event(POLL)
                    self.observer.waited()
                    if event is not None:
                        self.trials.hear(event)
            finally:
                self._write()
                if self.study is not None:
                    self.notes += self.study.write(
                        self.directory.path, self.sweep, self._in_order(), self.runs.reports
                    )
            ranking = self._ranking()
            final = self._final(ranking[0], signalled) if ranking else None
        return self._finished(ranking, final)

    def _in_order(self) -> list[Trial]:
        return [trial for _, trial in sorted(self.trials.over.items())]

    def _ranking(self) -> list[Trial]:
        return ranked(self._in_order(), maximize=self.sweep.maximize)

    def _check(self, signalled: Callable[[], int | None]) -> None:
        number = signalled()
        if number is not None:
            done = f"{len(self.trials.over)} trials are done"
            raise Interrupted(
                f"interrupted: {done}; to go on: nettrain sweep --resume {self.directory.path}",
                number,
            )

    def _write(self) -> None:
        """What can be said of the trials so far."""
        parameters, ranking = self.sweep.space.parameters, self._ranking()
        self.directory.write_table(self._in_order(), list(parameters))
        self.directory.write_importances(importances(comparable(self._in_order()), parameters))
        if ranking:
            best = ranking[0]
            head = f"# Trial {best.index} of {self.directory.path.name}: {self.sweep.spec.metric.name} {best.metric:.6g}.\n"
            self.directory.write_best(head + dump(self.sweep.config(best.parameters)))

    def _final(self, best: Trial, signalled: Callable[[], int | None]) -> Ended:
        """The winner's last run, unless it has been made already."""
        job = final_job(self.sweep, self.runs, best, self.directory.path.absolute())
        known = (
            json.loads(self.directory.summary.read_text(encoding="utf-8"))
            if self.directory.summary.exists()
            else {}
        )
        if (
            known.get("best", {})
            and known["best"].get("index") == best.index
            and known.get("final") is not None
        ):
            return Ended(job.index, "finished", known["final"], "", 0.0)
        self.directory.summary.unlink(missing_ok=True)
        self.observer.final(best)
        self.executor.submit(job)
        while not isinstance(event := self.executor.next_event(POLL), Ended):
            self._check(signalled)
            self.observer.waited()
        return event

    def _finished(self, ranking: list[Trial], final: Ended | None) -> SweepResult:
        notes = self.notes
        rows = (
            self.facts.rows.get(self.runs.part, 0)
            if self.sweep.spec.cross_validation is None
            else 0
        )
        if ranking and (note := noise_note(ranking, self.sweep.spec.metric.name, rows)):
            notes.append(note)
        result = final.result if final is not None else None
        if final is not None and result is None:
            notes.append(f"the winner's last run {final.status.replace('_', ' ')}: {final.message}")
        elif result is not None and "test" not in result["metrics"]:
            notes.append(
                "there is no test part (dataset.split.test): nothing tells how good the winner is on rows that did not choose it"
            )
        test = None if result is None else result["metrics"].get("test")
        trials, best = self._in_order(), ranking[0] if ranking else None
        found = SweepResult(
            str(self.directory.path),
            self.sweep.spec.metric.name,
            trials,
            ranking,
            best,
            test,
            notes,
        )
        write_json(self.directory.summary, as_json(found) | {"notes": notes, "final": result})
        return found


def as_json(result: SweepResult) -> dict[str, Any]:
    """What `--json` prints."""

    def row(trial: Trial) -> dict[str, Any]:
        directory = str(Path(result.directory) / trial.run_directory)
        return {
            "index": trial.index,
            "parameters": trial.parameters,
            "metric": trial.metric,
            "status": trial.status,
            "seconds": trial.seconds,
            "run_directory": directory,
        }

    best = None if result.best is None else row(result.best)
    return {
        "directory": result.directory,
        "trials": [row(trial) for trial in result.trials],
        "best": best,
        "test": result.test,
    }
