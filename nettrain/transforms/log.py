"""Logarithm, for amounts that spread over several powers of ten."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from nettrain.component import Real
from nettrain.data.elementwise import Elementwise
from nettrain.data.rows.base import LazyRows
from nettrain.data.transform import OutsideDomain, State


@dataclass(frozen=True, kw_only=True)
class Log(Elementwise):
    """Logarithm. y = ln(x + shift).

    Learns nothing. The default shift of 1 keeps 0 at 0 and is exact for small x (log1p). An error
    where x + shift <= 0, with the column, the value and the smallest shift that would do.
    """

    shift: Annotated[
        Real, Field(description="added before the logarithm; 0 for numbers that are all above 0")
    ] = 1.0

    invertible = True
    by_chunks = True

    def learn(self, numbers: np.ndarray | LazyRows) -> State:
        return {}

    def forward(self, x: np.ndarray, state: State, names: tuple[str, ...]) -> np.ndarray:
        outside = x + self.shift <= 0
        if outside.any():
            row, *index = (int(i) for i in np.argwhere(outside)[0])
            where = f"column {names[index[0]]!r}" if names else f"pixel {index}"
            raise OutsideDomain(
                row,
                f"{where}: no logarithm of {x[outside][0]:g} + shift {self.shift:g} (cells "
                f"like that: {np.count_nonzero(outside)}); set log.shift above "
                f"{-x[outside].min():g}, or name the other columns under log.columns",
            )
        return np.log1p(x + (self.shift - 1))

    def backward(self, y: np.ndarray, state: State) -> np.ndarray:
        return np.expm1(y) - (self.shift - 1)
