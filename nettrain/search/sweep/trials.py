"""The trials of a sweep under way: their runs are put together, and their results recorded."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from nettrain.errors import ConfigError, DataError
from nettrain.search.executors.base import Ended, Executor, Job, Reported, Status
from nettrain.search.executors.job import describe_failure
from nettrain.search.observer import Observer
from nettrain.search.run_group import JobSource
from nettrain.search.sweep.proposers.base import Proposer
from nettrain.search.sweep.space import Setting
from nettrain.search.sweep.trial import Trial, key, trial_name
from nettrain.search.sweep.trial_runs import TrialRuns


@dataclass
class _UnderWay:
    """A trial whose runs are being made. results: by the place of the run."""

    index: int
    setting: Setting
    jobs: deque[Job]
    running: set[int] = field(default_factory=set)
    results: dict[int, Any] = field(default_factory=dict)
    seconds: float = 0.0


class Trials(JobSource):
    """Gives the runs of trials until there are no more.

    A setting that an earlier trial has had is not run again: the trial gets that one's result. With
    a proposer that draws trial i from i alone, the trials are the same for any number of slots, and
    after any interruption.

    Attributes:
        over: The trials that have ended, by index.
    """

    def __init__(
        self,
        runs: TrialRuns,
        proposer: Proposer,
        executor: Executor,
        observer: Observer,
        *,
        limit: int | None,
        record: Callable[[Trial], None],
    ) -> None:
        self._runs = runs
        self._proposer = proposer
        self._executor = executor
        self._observer = observer
        self._limit = limit
        self._record = record
        self._next = 0
        self._under_way: dict[int, _UnderWay] = {}
        self._first: dict[str, int] = {}  # the first trial of each setting
        self._same: dict[int, list[tuple[int, Setting]]] = {}
        self.over: dict[int, Trial] = {}

    def recall(self, trials: list[Trial]) -> None:
        """Take over what earlier sessions have recorded."""
        for trial in trials:
            self.over[trial.index] = trial
            if trial.same_as is None:
                self._first[key(trial.parameters)] = trial.index
            reports = self._runs.reports(trial) if self._runs.report else {}
            self._proposer.recall(
                trial.index, trial.parameters, trial.status, trial.metric, reports
            )

    def next_job(self) -> Job | None:
        """The next run: of the first trial that lacks one, or of a new one."""
        job = self._of_a_begun_trial() or self._of_a_new_trial()
        if job is not None:
            self._under_way[job.index // self._runs.count].running.add(job.index)
        return job

    def receive(self, event: Reported | Ended) -> None:
        """Decide whether the trial is pruned, or put the result to those of its other runs."""
        index, place = divmod(event.index, self._runs.count)
        trial = self._under_way.get(index)
        if trial is None:
            return  # it has ended already, since another run of it went wrong
        if isinstance(event, Reported):
            self._observer.reported(trial_name(index), event.epoch, event.value)
            decides = place == 0 and self._runs.report
            if decides and self._proposer.should_prune(index, event.epoch, event.value):
                self._executor.prune(event.index)
            return
        trial.running.discard(event.index)
        trial.seconds += event.seconds
        self._ended(trial, place, event)

    def _ended(self, trial: _UnderWay, place: int, event: Ended) -> None:
        message = event.message if self._runs.count == 1 else f"run {place + 1}: {event.message}"
        if event.result is not None:
            trial.results[place] = event.result
        if event.status not in ("finished", "pruned"):
            self._close(trial, event.status, None, message)
        elif event.result is None or self._runs.score(event.result) is None:
            self._close(
                trial,
                "failed",
                None,
                f"{self._runs.metric} is not defined for the rows that it is of",
            )
        elif event.status == "pruned" or len(trial.results) == self._runs.count:
            scores = self._scores(trial)
            self._close(trial, event.status, fmean(scores), "")

    def _scores(self, trial: _UnderWay) -> list[float]:
        return [
            score
            for _, result in sorted(trial.results.items())
            if (score := self._runs.score(result)) is not None
        ]

    def _close(self, trial: _UnderWay, status: Status, metric: float | None, message: str) -> None:
        for job in trial.running:
            self._executor.prune(job)
        del self._under_way[trial.index]
        results = [result for _, result in sorted(trial.results.items())]
        self._record_trial(
            Trial(
                trial.index,
                trial.setting,
                metric,
                status,
                seconds=round(trial.seconds, 6),
                run_directory=self._runs.directory(trial.index),
                message=message,
                scores=self._scores(trial),
                best_epochs=[result["best_epoch"] or result["epochs"] for result in results],
            )
        )
        for index, setting in self._same.pop(trial.index, []):
            self._repeat(index, setting, trial.index)

    def _record_trial(self, trial: Trial) -> None:
        self._record(trial)
        self.over[trial.index] = trial
        self._proposer.tell(trial.index, trial.status, trial.metric)
        self._observer.ended(trial.outcome(self._runs.metric))

    def _of_a_begun_trial(self) -> Job | None:
        for trial in self._under_way.values():
            if not trial.jobs:
                continue
            first = trial.jobs[0].index % self._runs.count == 0
            # Where trials are pruned, the first run decides whether the others are made.
            if first or not self._runs.report or 0 in trial.results:
                return trial.jobs.popleft()
        return None

    def _of_a_new_trial(self) -> Job | None:
        while (proposed := self._proposal()) is not None:
            index, setting = proposed
            first_index = self._first.setdefault(key(setting), index)
            if first_index in self.over:
                self._repeat(index, setting, first_index)
            elif first_index != index:
                self._same.setdefault(first_index, []).append((index, setting))
            elif (job := self._begin(index, setting)) is not None:
                return job
        return None

    def _proposal(self) -> tuple[int, Setting] | None:
        while self._next in self.over:
            self._next += 1
        if self._limit is not None and self._next >= self._limit:
            return None
        setting = self._proposer.ask(self._next)
        if setting is None:
            self._limit = self._next
            return None
        self._next += 1
        return self._next - 1, setting

    def _begin(self, index: int, setting: Setting) -> Job | None:
        try:
            jobs = deque(self._runs.jobs(index, setting))
        except (ConfigError, DataError) as error:
            directory = self._runs.directory(index)
            status, message = describe_failure(error)
            self._record_trial(Trial(index, setting, None, status, 0.0, directory, message))
            return None
        self._under_way[index] = _UnderWay(index, setting, jobs)
        self._observer.started(trial_name(index), setting)
        return jobs.popleft()

    def _repeat(self, index: int, setting: Setting, first: int) -> None:
        """Record a trial that is an earlier one again."""
        earlier = self.over[first]
        self._record_trial(
            replace(earlier, index=index, parameters=setting, seconds=0.0, same_as=first)
        )
