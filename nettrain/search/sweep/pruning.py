"""Pruning: trials whose first epochs are worse than others' were end early."""

from collections.abc import Mapping
from typing import Literal

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner

from nettrain.search.executors.base import Status
from nettrain.search.sweep.proposers.base import Proposer
from nettrain.search.sweep.proposers.optuna_proposer import OptunaProposer
from nettrain.search.sweep.space import Setting, Space

BEFORE = 5  # trials that must have finished before the median of any is compared with


def pruner_for(kind: Literal["median", "hyperband"], min_epochs: int, epochs: int) -> BasePruner:
    """Optuna's pruner.

    Args:
        kind: median prunes a trial whose best value so far is worse than the median of the finished
            ones at this epoch. hyperband compares at min_epochs, 3 min_epochs, 9 min_epochs ... and
            keeps the best third; some trials, in brackets, begin with a later comparison. Li et al.
            2018, "Hyperband", in the asynchronous form of Li et al. 2020 (ASHA).
        min_epochs: That every trial is given.
        epochs: Of the longest trial.
    """
    if kind == "median":
        return MedianPruner(n_startup_trials=BEFORE, n_warmup_steps=min_epochs)
    return HyperbandPruner(
        min_resource=min_epochs, max_resource=max(min_epochs, epochs), reduction_factor=3
    )


class Pruning(OptunaProposer):
    """Takes the settings of another proposer, and prunes some of their trials.

    When depends on what other trials have reported by then: with several workers, on their speed.
    """

    def __init__(
        self, proposer: Proposer, pruner: BasePruner, space: Space, *, maximize: bool
    ) -> None:
        super().__init__(space, maximize=maximize, name="pruning", pruner=pruner)
        self._proposer = proposer

    def ask(self, index: int) -> Setting | None:
        """The other's."""
        setting = self._proposer.ask(index)
        if setting is not None:
            self.begin(index)
        return setting

    def tell(self, index: int, status: Status, value: float | None) -> None:
        """Both."""
        self._proposer.tell(index, status, value)
        super().tell(index, status, value)

    def recall(
        self,
        index: int,
        setting: Setting,
        status: Status,
        value: float | None,
        reports: Mapping[int, float],
    ) -> None:
        """Both; here as a trial that was asked for, and reported."""
        self._proposer.recall(index, setting, status, value, reports)
        self.begin(index)
        for epoch, reported in reports.items():
            super().should_prune(index, epoch, reported)
        super().tell(index, status, value)

    def should_prune(self, index: int, epoch: int, value: float) -> bool:
        """Either."""
        return self._proposer.should_prune(index, epoch, value) or super().should_prune(
            index, epoch, value
        )
