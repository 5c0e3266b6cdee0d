"""The shape of a distribution taken away: what counts is the rank."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.component import Count
from nettrain.data.elementwise import Elementwise
from nettrain.data.rows.base import LazyRows
from nettrain.data.transform import State

_NORMAL = NormalDist()
_RIM = 1e-7  # the normal distribution ends here and at 1 - this: 5.2 deviations


@dataclass(frozen=True, kw_only=True)
class Quantile(Elementwise):
    """y = F(x), or y = Phi^-1(F(x)) for `to: normal`;  F: the share of the training rows below x, Phi: the normal distribution.

    F is read from the quantiles of the training rows, with straight lines between; it never falls, and is 0 below all of them and 1
    above. Equal values become the middle of their ranks. Missing cells are left out.
    scikit-learn's QuantileTransformer is equal but for values tied at the rim: it makes those 0 or 1. The inverse is exact between the
    training values, and stays within them.
    """

    to: Annotated[
        Literal["uniform", "normal"],
        Field(description="the shape: even in [0, 1], or with mean 0 and deviation 1"),
    ] = "uniform"
    quantiles: Annotated[
        Count, Field(ge=2, description="how many are kept, if the training part has as many rows")
    ] = 1000

    invertible = True

    def learn(self, numbers: np.ndarray | LazyRows) -> State:
        """`quantiles` (q, ...), evenly spaced; NaN for a column without numbers."""
        numbers = numbers[:]
        q = min(self.quantiles, max(len(numbers), 2))
        columns = numbers.reshape(len(numbers), -1)
        found = np.full((q, columns.shape[1]), np.nan)
        for place in range(columns.shape[1]):
            present = columns[:, place][~np.isnan(columns[:, place])]
            if len(present):
                found[:, place] = np.quantile(present.astype(np.float64), np.linspace(0, 1, q))
        # What rounding makes of equal neighbours may fall by a last bit.
        return {"quantiles": np.maximum.accumulate(found, axis=0).reshape(q, *numbers.shape[1:])}

    def forward(self, x: np.ndarray, state: State, names: tuple[str, ...]) -> np.ndarray:
        share = _each_column(_shares, x, np.asarray(state["quantiles"]))
        return (
            share if self.to == "uniform" else _map(_NORMAL.inv_cdf, np.clip(share, _RIM, 1 - _RIM))
        )

    def backward(self, y: np.ndarray, state: State) -> np.ndarray:
        share = y if self.to == "uniform" else _map(_NORMAL.cdf, y)
        return _each_column(_values, share, np.asarray(state["quantiles"]))


def _shares(x: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Between equal quantiles one direction finds the last, the other the first: their mean is the middle."""
    steps = np.linspace(0, 1, len(quantiles))
    return (np.interp(x, quantiles, steps) - np.interp(-x, -quantiles[::-1], -steps[::-1])) / 2


def _values(share: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    return np.interp(share, np.linspace(0, 1, len(quantiles)), quantiles)


def _each_column(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], x: np.ndarray, quantiles: np.ndarray
) -> np.ndarray:
    """The function of each column and its quantiles; NaN where x is NaN, or has no quantiles."""
    columns, learned = x.reshape(len(x), -1), quantiles.reshape(len(quantiles), -1)
    y = np.full(columns.shape, np.nan)
    for place in range(columns.shape[1]):
        there = ~np.isnan(columns[:, place]) & ~np.isnan(learned[0, place])
        y[there, place] = function(columns[there, place], learned[:, place])
    return y.reshape(x.shape)


def _map(function: Callable[[float], float], numbers: np.ndarray) -> np.ndarray:
    """The function of every number, NaN for NaN."""
    y = np.full(numbers.shape, np.nan)
    there = ~np.isnan(numbers)
    y[there] = np.fromiter(map(function, numbers[there].tolist()), np.float64, int(there.sum()))
    return y
