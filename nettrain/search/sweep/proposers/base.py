"""The contract of what chooses the settings of a sweep's trials."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from nettrain.search.executors.base import Status
from nettrain.search.sweep.space import Setting


class Proposer(ABC):
    """Chooses settings and may prune trials. It lives in the parent alone.

    A value is a trial's score; None where a trial has none (it diverged, crashed ...).
    """

    @abstractmethod
    def ask(self, index: int) -> Setting | None:
        """The setting of a trial; None where there are no more.

        Called once per index in one session, in rising order.
        """

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
        """Take over a trial of an earlier session, in place of `ask` and `tell`.

        Called before all others, in the order in which the trials ended.

        Args:
            reports: The monitored metric by epoch, where trials may be pruned.
        """

    def should_prune(self, index: int, epoch: int, value: float) -> bool:
        """Whether to prune a trial with this monitored value after an epoch (counted from 1)."""
        return False
