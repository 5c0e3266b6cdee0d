"""The outputs for many rows, computed by several processes: those of one, bit for bit."""

import math

import numpy as np

from nettrain.autodiff.plan.shards import RunTasks
from nettrain.nn.batched_inference import Rows
from nettrain.nn.network import Network
from nettrain.training.distributed.group import ProcessGroup


class RowRange:
    """Some of the rows of an array or file, of which slices are read when they are wanted."""

    def __init__(self, rows: Rows, start: int, stop: int) -> None:
        self._rows, self._start, self._stop = rows, start, stop

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, part: slice, /) -> np.ndarray:
        start, stop, _ = part.indices(len(self))
        return self._rows[self._start + start : self._start + stop]


def divided_outputs(
    network: Network, x: Rows, run_tasks: RunTasks, group: ProcessGroup
) -> np.ndarray:
    """The outputs (n, ...) of a network in evaluation mode, in every process.

    Each process computes whole chunks, which are those that one process would compute.

    Args:
        network: Whose rows are independent.
        x: The rows.
        run_tasks: Runs the chunks, on one thread or several.
        group: The processes.
    """
    chunk = network.batched_inference.chunk_size
    chunks = -(-len(x) // chunk)
    cuts = [min(len(x), rank * chunks // group.size * chunk) for rank in range(group.size + 1)]
    own = network.outputs(RowRange(x, cuts[group.rank], cuts[group.rank + 1]), run_tasks)
    out = np.empty((len(x), *network.output_shape), network.dtype)
    width = math.prod(network.output_shape)
    counts = [width * int(rows) for rows in np.diff(cuts)]
    group.all_gather(own.reshape(-1), out.reshape(-1), counts)
    return out
