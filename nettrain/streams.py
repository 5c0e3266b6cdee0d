"""Random streams: a generator for every purpose, derived from (seed, name, indices) alone."""

import hashlib

import numpy as np


def _words(seed: int, name: str, indices: tuple[int, ...]) -> list[int]:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return [seed, int.from_bytes(digest, "little"), *indices]


def generator(seed: int, name: str, *indices: int) -> np.random.Generator:
    """The generator of one stream: `generator(seed, "shuffle", epoch)`."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(_words(seed, name, indices))))


class StepStream:
    """A stream that seeks any training step in under a microsecond.

    Philox, keyed by (seed, name), counted by (step, shard).

    Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". A step has 2^64 blocks, far
    more than it can draw.
    """

    def __init__(self, seed: int, name: str) -> None:
        self._bits = np.random.Philox(np.random.SeedSequence(_words(seed, name, ())))
        self._state = self._bits.state
        self.generator = np.random.Generator(self._bits)

    def seek(self, step: int, shard: int = 0) -> np.random.Generator:
        """Move to one step and shard."""
        self._state["state"]["counter"][:] = (0, shard, step, 0)
        self._bits.state = self._state
        return self.generator
