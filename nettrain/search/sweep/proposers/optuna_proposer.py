"""A proposer with an Optuna study, in memory: a database call takes longer than many a trial."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import optuna
from optuna.pruners import BasePruner
from optuna.trial import Trial, TrialState

from nettrain.search.executors.base import Status
from nettrain.search.sweep.optuna_space import suggested, to_optuna
from nettrain.search.sweep.proposers.base import Proposer
from nettrain.search.sweep.space import Setting, Space

OWN_FAULT = (
    "diverged",
    "failed",
    "out_of_memory",
)  # of the setting: it is as bad as can be. A killed trial says nothing


class OptunaProposer(Proposer):
    """Tells a study of every trial, and asks its pruner after every epoch.

    Trials are numbered in the order in which they were begun, and those of an earlier session in
    the order in which they ended: with one worker the same.
    """

    def __init__(
        self, space: Space, *, maximize: bool, name: str, pruner: BasePruner | None = None
    ) -> None:
        self.space = space
        with quiet():
            self.study = optuna.create_study(
                direction="maximize" if maximize else "minimize",
                study_name=name,
                pruner=pruner or optuna.pruners.NopPruner(),
            )
        self._worst = float("-inf" if maximize else "inf")
        self._trials: dict[int, Trial] = {}
        self._pruned: set[int] = set()

    def begin(self, index: int) -> Trial:
        """The study's trial of this index."""
        with quiet():
            self._trials[index] = self.study.ask()
        return self._trials[index]

    def tell(self, index: int, status: Status, value: float | None) -> None:
        """Tell the study; a trial that failed by its own setting counts as the worst."""
        trial = self._trials.pop(index)
        with quiet():
            if status == "pruned":
                self.study.tell(trial, state=TrialState.PRUNED)
            elif value is None and status not in OWN_FAULT:
                self.study.tell(trial, state=TrialState.FAIL)
            else:
                self.study.tell(trial, self._worst if value is None else value)

    def recall(
        self,
        index: int,
        setting: Setting,
        status: Status,
        value: float | None,
        reports: Mapping[int, float],
    ) -> None:
        """Trial by trial as it was, so that the study knows all that it knew."""
        with quiet():
            self.study.enqueue_trial(to_optuna(setting, self.space))
        suggested(self.begin(index), self.space)
        for epoch, reported in reports.items():
            self.should_prune(index, epoch, reported)
        self.tell(index, status, value)

    def should_prune(self, index: int, epoch: int, value: float) -> bool:
        """As the pruner says; once is enough."""
        trial = self._trials.get(index)
        if trial is None or index in self._pruned:
            return False
        with quiet():
            trial.report(value, epoch)
            if not trial.should_prune():
                return False
        self._pruned.add(index)
        return True


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Optuna's messages on studies, news, and epochs that a retried run reports again."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(level)
