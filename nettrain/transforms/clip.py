"""Clipping."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Real
from nettrain.data.elementwise import Elementwise
from nettrain.data.rows.base import LazyRows
from nettrain.data.transform import State


@dataclass(frozen=True, kw_only=True)
class Clip(Elementwise):
    """Clipping. y = min(max(x, low), high).

    Learns nothing. After standardize, `{type: clip, low: -5, high: 5}` keeps single extreme values
    from dominating the activations of a network. An error unless low < high, and where neither is
    given.
    """

    low: Annotated[
        Real | None,
        Field(description="lower bound: smaller numbers become this; null: none", examples=[-3.0]),
    ] = None
    high: Annotated[
        Real | None,
        Field(description="upper bound: larger numbers become this; null: none", examples=[3.0]),
    ] = None

    by_chunks = True

    def __post_init__(self) -> None:
        if self.low is None and self.high is None:
            raise ValueError("give low, high, or both: without a bound nothing is clipped")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low must be below high, got low {self.low} and high {self.high}")

    def learn(self, numbers: np.ndarray | LazyRows) -> State:
        return {}

    def forward(self, x: np.ndarray, state: State, names: tuple[str, ...]) -> np.ndarray:
        return np.clip(x, self.low, self.high)
