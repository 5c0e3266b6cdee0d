"""Arrays handed in from Python."""

from dataclasses import dataclass

from nettrain.data.dataset import Dataset
from nettrain.data.source import Source
from nettrain.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Memory(Source):
    """Arrays in memory: the `data=(x, y)` of `nettrain.train`, or (x, y, weights).

    weights say how much each row counts in the loss. This source stands in the configuration of
    such runs, which keep no copy of the data.
    """

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        raise DataError(
            "dataset.source: memory: the data of this run was handed in from Python and is not "
            "stored; hand it in again (data=(x, y)), or give a file (eval --data FILE)"
        )
