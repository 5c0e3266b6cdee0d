"""The position of training: the step, and the random streams of the layers at that step."""

from collections.abc import Sequence

import numpy as np

from nettrain import streams
from nettrain.schedules import Number, RunLength, number_at


class StepPosition:
    """What changes for the layers of a network from step to step, beside their weights.

    The network and the scopes of its layers share it. A scope does not hold the network, which
    holds scopes: memory that refers to itself is freed late.

    Args:
        seed: Of every random stream.

    Attributes:
        step: Counted from 0.
        length: Of the run, for numbers that follow a schedule; None: there is none.
    """

    def __init__(self, seed: int) -> None:
        self.step = 0
        self.length: RunLength | None = None
        self._seed = seed
        self._streams: dict[tuple[str, int], streams.StepStream] = {}

    def seek(self, step: int, shards: Sequence[int]) -> None:
        """Moves every random stream that a layer has used to a step; see `Network.seek`."""
        self.step = step
        for (_, stream), sequence in self._streams.items():
            sequence.seek(step, shards[stream])

    def generator(self, step: int, shard: int, stream: int, path: str) -> np.random.Generator:
        """Returns the generator of a layer, at a step and a place within it."""
        sequence = self._streams.get((path, stream))
        if sequence is None:
            sequence = self._streams[path, stream] = streams.StepStream(self._seed, f"layer.{path}")
        return sequence.seek(step, shard)

    def current_step(self) -> int:
        """Returns the number of the step."""
        return self.step

    def number(self, number: Number) -> float:
        """Returns a number that may follow a schedule, as it is in this step."""
        return number_at(number, self.step, self.length)
