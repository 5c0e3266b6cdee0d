"""The shards of a batch, and which of them this process computes: here all."""

from collections.abc import Callable, Sequence

import numpy as np

from nettrain.training.engine.tree_sum import Addition, additions


class Partition:
    """The shards into which each batch is divided: results depend on their number alone.

    Args:
        shards: Of a batch that has as many rows.
    """

    def __init__(self, shards: int) -> None:
        self.shards = shards

    @property
    def width(self) -> int:
        """How many shards are computed here at most."""
        return self.shards

    @property
    def all_here(self) -> bool:
        """Whether every shard is computed here."""
        return True

    def count(self, n: int) -> int:
        """The number of shards of a batch of n rows."""
        return min(self.shards, n)

    def parts(self, n: int) -> list[slice]:
        """The rows of each shard: equal in number, but for one more in the first ones."""
        count = self.count(n)
        few, more = divmod(n, count)
        stops = [(i + 1) * few + min(i + 1, more) for i in range(count)]
        return [slice(start, stop) for start, stop in zip([0, *stops], stops, strict=False)]

    def computed(self, count: int) -> range:
        """Which of the shards are computed here."""
        return range(count)

    @property
    def rows(self) -> Callable[[int], slice] | None:
        """Which of the n rows of a batch are read here; None: all."""
        return None

    def additions(self, count: int) -> Sequence[Addition]:
        """Those of the sum over the shards that have both terms here."""
        return additions(count)

    def gather(self, count: int, arrays: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """The arrays of all shards, given those of the shards that are computed here."""
        return arrays

    def losses(self, count: int, totals: Sequence[np.ndarray]) -> Sequence[float]:
        """The losses of all shards, given those of the shards that are computed here."""
        return list(map(float, totals))

    def add_up(self, count: int, gradients: Sequence[np.ndarray]) -> None:
        """Complete the sum over the shards that `additions` began, in the first of the gradients.

        Args:
            count: The number of shards of the batch.
            gradients: Of those that are computed here.
        """
