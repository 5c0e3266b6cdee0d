"""One of some values, drawn without making a strategy for it, which takes hypothesis longer than the draw."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


def pick(draw: st.DrawFn, values: Sequence[T]) -> T:
    """One of the values; smaller inputs have the earlier ones, as those of `st.sampled_from`."""
    return values[draw(st.integers(0, len(values) - 1))]
