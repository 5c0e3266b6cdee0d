"""A session of a sweep: from the first trial that this process makes to the final run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nettrain.config.dump import dump
from nettrain.inspection.file_shapes import SUMMARY, json_object
from nettrain.search.executors.base import DatasetInfo, Ended, Job, Reported
from nettrain.search.final_run import NAME
from nettrain.search.observer import Overview
from nettrain.search.run_group import JobSource, RunGroup, run_outcome
from nettrain.search.sweep.config import Sweep
from nettrain.search.sweep.directory import SweepDirectory
from nettrain.search.sweep.final_job import final_job
from nettrain.search.sweep.importances import comparable, importances
from nettrain.search.sweep.proposers.base import Proposer
from nettrain.search.sweep.result import SweepResult, as_json
from nettrain.search.sweep.significance import significance_note
from nettrain.search.sweep.trial import Trial, ranked
from nettrain.search.sweep.trial_runs import TrialRuns
from nettrain.search.sweep.trials import Trials
from nettrain.training.artifacts.files import write_json

if TYPE_CHECKING:
    from nettrain.search.sweep.optuna_export import OptunaExport


class Session:
    """Makes the trials that are not recorded yet.

    Args:
        sweep: The sweep.
        group: Where its runs are made.
        info: What its data is.
        proposer: What chooses the settings.
        export: Writes an Optuna study; None: there is to be none.
        recorded: The trials of earlier sessions.
    """

    def __init__(
        self,
        sweep: Sweep,
        group: RunGroup,
        info: DatasetInfo,
        proposer: Proposer,
        export: "OptunaExport | None",
        recorded: Sequence[Trial] = (),
    ) -> None:
        self._sweep = sweep
        self._group = group
        self._directory = SweepDirectory(group.path)
        self._info = info
        self._export = export
        self._notes = list(group.executor.notes)
        self._runs = TrialRuns(sweep, group.path, info, group.observer.pause)
        self._trials = Trials(
            self._runs,
            proposer,
            group.executor,
            group.observer,
            limit=sweep.spec.trials,
            record=self._directory.append,
        )
        self._trials.recall(list(recorded))

    def run(self) -> SweepResult:
        """All trials, the tables, the winner's final run."""
        spec = self._sweep.spec
        done = [trial.outcome(spec.metric.name) for trial in self._in_order()]
        self._group.observer.begin(
            Overview("trials", self._sweep.total(), done, spec.metric.name, self._sweep.maximize)
        )
        try:
            self._group.run(self._trials)
        finally:
            self._write_tables()
            if self._export is not None:
                self._notes += self._export.write(
                    self._group.path, self._sweep, self._in_order(), self._runs.reports
                )
        ranking = self._ranking()
        final = self._final(ranking[0]) if ranking else None
        return self._result(ranking, final)

    def _in_order(self) -> list[Trial]:
        return [trial for _, trial in sorted(self._trials.over.items())]

    def _ranking(self) -> list[Trial]:
        return ranked(self._in_order(), maximize=self._sweep.maximize)

    def _write_tables(self) -> None:
        """What can be said of the trials so far."""
        parameters, ranking, trials = (
            self._sweep.space.parameters,
            self._ranking(),
            self._in_order(),
        )
        self._directory.write_table(trials, list(parameters))
        self._directory.write_importances(importances(comparable(trials), parameters))
        if ranking:
            best, metric = ranking[0], self._sweep.spec.metric.name
            head = f"# Trial {best.index} of {self._group.path.name}: {metric} {best.metric:.6g}.\n"
            self._directory.write_best(head + dump(self._sweep.config(best.parameters)))

    def _final(self, best: Trial) -> Ended:
        """The winner's final run, unless an earlier session has made it."""
        job, notes = final_job(self._sweep, self._runs, best, self._group.path)
        self._notes += notes
        summary = self._directory.summary
        known = json_object(summary, SUMMARY)
        same = (known.get("best") or {}).get("index") == best.index
        if same and known.get("final") is not None:
            return Ended(job.index, "finished", known["final"], "", 0.0)
        summary.unlink(missing_ok=True)
        data = "training + validation data" if self._merges_validation else "the training data"
        self._group.observer.note(f"retraining trial {best.index} on {data}")
        source = _FinalRun(job, self._group)
        self._group.run(source)
        return source.ended

    @property
    def _merges_validation(self) -> bool:
        own = self._sweep.base.dataset.validation_source is not None
        folds = self._sweep.spec.cross_validation is not None
        return not own and (folds or "validation" in self._info.rows)

    def _result(self, ranking: list[Trial], final: Ended | None) -> SweepResult:
        spec, notes = self._sweep.spec, self._notes
        folds = spec.cross_validation is not None
        rows = 0 if folds else self._info.rows.get(self._runs.part, 0)
        if ranking and (note := significance_note(ranking, spec.metric.name, rows)):
            notes.append(note)
        refused = [trial for trial in self._in_order() if trial.status == "system_error"]
        if refused:
            notes.append(
                f"trials that an error of the system ended: {len(refused)} of "
                f"{len(self._trials.over)} ({refused[0].message}); to make them again: "
                f"{self._group.resume_command}"
            )
        result = final.result if final is not None else None
        if final is not None and result is None:
            notes.append(f"the final run {final.status.replace('_', ' ')}: {final.message}")
        elif result is not None and "test" not in result["metrics"]:
            notes.append(
                "there is no test part (dataset.split.test): nothing tells how good the winner is "
                "on rows that did not choose it"
            )
        found = SweepResult(
            str(self._group.path),
            spec.metric.name,
            self._in_order(),
            ranking,
            ranking[0] if ranking else None,
            None if result is None else result["metrics"].get("test"),
            notes,
        )
        write_json(self._directory.summary, as_json(found) | {"notes": notes, "final": result})
        return found


class _FinalRun(JobSource):
    """The one run that may fail without ending the sweep."""

    def __init__(self, job: Job, group: RunGroup) -> None:
        self._waiting: Job | None = job
        self._group = group
        self.ended: Ended

    def next_job(self) -> Job | None:
        job, self._waiting = self._waiting, None
        if job is not None:
            self._group.observer.started(NAME, {})
        return job

    def receive(self, event: Reported | Ended) -> None:
        observer = self._group.observer
        if isinstance(event, Reported):
            observer.reported(NAME, event.epoch, event.value)
            return
        self.ended = event
        if event.result is not None:
            observer.ended(run_outcome(NAME, None, event.result))
