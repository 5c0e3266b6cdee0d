"""Smooth clipping: large numbers approach a bound."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Positive
from nettrain.data.elementwise import Elementwise
from nettrain.data.rows.base import LazyRows
from nettrain.data.transform import State


@dataclass(frozen=True, kw_only=True)
class SmoothClip(Elementwise):
    """Smooth clipping. y = x / sqrt(1 + (x / bound)^2).

    Learns nothing. Numbers near 0 stay nearly as they are, all others end between -bound and bound
    in their order: after robust_scale single extreme values then cannot dominate. Holzmüller et al.
    2024 (RealMLP), section 3, with bound 3.
    """

    bound: Annotated[Positive, Field(description="what large numbers approach")] = 3.0

    by_chunks = True

    def learn(self, numbers: np.ndarray | LazyRows) -> State:
        return {}

    def forward(self, x: np.ndarray, state: State, names: tuple[str, ...]) -> np.ndarray:
        return x / np.hypot(1, x / self.bound)  # hypot: the square of a large number overflows
