"""Random choices that a seed, a room and a number give again."""

import math
import random
from collections.abc import Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
DIGITS = 3  # significant ones, so that a printed case is short and exact


class Chance(random.Random):
    """The choices of one case.

    Args:
        seed: Of the campaign.
        room: What is compared.
        number: Of the case.
    """

    def __new__(cls, *_: object) -> "Chance":
        """The seed is a string, which the base would refuse in this form."""
        return super().__new__(cls)

    def __init__(self, seed: int, room: str, number: int) -> None:
        super().__init__(f"{seed} {room} {number}")
        self.case = number

    def maybe(self, probability: float = 0.5) -> bool:
        """Whether something happens."""
        return self.random() < probability

    def pick(self, options: Sequence[Item]) -> Item:
        """One of them."""
        return self.choice(options)

    def number(self, low: float, high: float) -> float:
        """A number on a logarithmic scale, rounded to three digits."""
        return _rounded(math.exp(self.uniform(math.log(low), math.log(high))))

    def between(self, low: float, high: float) -> float:
        """A number, rounded to three digits."""
        return _rounded(self.uniform(low, high))

    def some(self, options: dict[str, Any], probability: float = 0.4) -> dict[str, Any]:
        """Some of the keys, with what their functions return."""
        return {key: draw() for key, draw in options.items() if self.maybe(probability)}


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
