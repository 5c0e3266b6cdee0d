"""Random search: trial i draws its setting from (seed, i) alone."""

from nettrain.search.sweep.proposers.base import Proposer
from nettrain.search.sweep.space import Setting, Space


class RandomSettings(Proposer):
    """Random search: every parameter is drawn from its own distribution.

    Bergstra & Bengio 2012, "Random Search for Hyper-Parameter Optimization".
    """

    def __init__(self, space: Space, seed: int) -> None:
        self.space = space
        self.seed = seed

    def ask(self, index: int) -> Setting:
        """Drawn, without end."""
        return self.space.drawn(self.seed, index)
