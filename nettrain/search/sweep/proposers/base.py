"""The contract of what chooses the settings of a sweep's trials."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from nettrain.search.executors.base import Status
from nettrain.search.sweep.space import Setting


class Proposer(ABC):
    """Chooses settings and may give trials up on their way. It lives in the parent alone.

    A value is a trial's score as its metric has it; None where a trial has none (it diverged, crashed ...).
    """

    @abstractmethod
    def ask(self, index: int) -> Setting | None:
        """The setting of a trial; None where there are no more. Called once an index in one session, in rising order."""

    def tell(self, index: int, status: Status, value: float | None) -> None:  # noqa: B027
        """How a trial that was asked for ended; called in the order in which they end."""

    def recall(  # noqa: B027
        self,
        index: int,
        setting: Setting,
        status: Status,
        value: float | None,
        reports: Mapping[int, float],
    ) -> None:
        """A trial of an earlier session, in place of `ask` and `tell`; called before all others, in the order in which they ended.

        reports  the monitored metric by epoch, where trials may be given up
        """

    def should_prune(self, index: int, epoch: int, value: float) -> bool:
        """Whether to give up a trial that has this value of the monitored metric after an epoch (counted from 1)."""
        return False
