"""One of some values, drawn without making a strategy for it, which takes hypothesis longer than the draw."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


def pick(draw: st.DrawFn, values: Sequence[T]) -> T:
    """One of the values; smaller inputs have the earlier ones, as those of `st.sampled_from`."""
    return values[draw(st.integers(0, len(values) - 1))]


def pick_evenly(draw: st.DrawFn, values: Sequence[T]) -> T:
    """One of the values, where one must be as likely as another: hypothesis draws the least number twice as often as others."""
    return Random(draw(st.integers(0, 2**16 - 1))).choice(values)
