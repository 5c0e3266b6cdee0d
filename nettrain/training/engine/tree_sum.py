"""The order in which the gradients of shards are added: a fixed tree."""

from typing import NamedTuple


class Addition(NamedTuple):
    """One addition: into += other. Then `into` holds the sum over the shards into ... end - 1."""

    into: int
    other: int
    end: int

    def shifted(self, places: int) -> "Addition":
        """The same of shards that stand so many places further on."""
        return Addition(*(number + places for number in self))


def additions(count: int) -> list[Addition]:
    """The additions of a sum over shards: neighbours, then neighbouring pairs, and so on.

    A process that has a run of shards can add up most of them alone, and floating-point numbers
    still are added in the one order that the number of shards decides. The rounding error grows
    with log2(count), not with count (Higham 1993, "The accuracy of floating point summation").

    >>> [(one.into, one.other) for one in additions(5)]
    [(0, 1), (2, 3), (0, 2), (0, 4)]
    """
    made, stride = [], 1
    while stride < count:
        made += [
            Addition(i, i + stride, min(i + 2 * stride, count))
            for i in range(0, count - stride, 2 * stride)
        ]
        stride *= 2
    return made
