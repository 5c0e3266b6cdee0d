"""Grid search: all combinations of all values."""

from nettrain.search.sweep.proposers.base import Proposer
from nettrain.search.sweep.space import Setting, Space


class Grid(Proposer):
    """Grid search: trial i is the i-th combination, the last parameter changing fastest.

    A parameter whose conditions are not met takes no part.
    """

    def __init__(self, space: Space) -> None:
        self._coming = space.grid()
        self._made: list[Setting] = []

    def ask(self, index: int) -> Setting | None:
        """The combination, as long as there is one."""
        while len(self._made) <= index:
            setting = next(self._coming, None)
            if setting is None:
                return None
            self._made.append(setting)
        return self._made[index]
