"""Quantile transform: each feature gets a uniform or normal distribution."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nettrain.component import Count
from nettrain.data.elementwise import Elementwise
from nettrain.data.rows.base import LazyRows
from nettrain.data.rows.columns import columns_of
from nettrain.data.transform import State
from nettrain.quantiles import evenly_spaced_quantiles

_NORMAL = NormalDist()
_RIM = 1e-7  # the normal distribution ends here and at 1 - this: 5.2 deviations


@dataclass(frozen=True, kw_only=True)
class Quantile(Elementwise):
    """Quantile transform. y = F(x), or y = Phi^-1(F(x)) for `to: normal`.

    F is the fraction of the training rows below x, read from their quantiles with straight lines
    between; it never falls, and is 0 below all of them and 1 above. Phi is the standard normal
    distribution function. Equal values become the middle of their ranks, exactly where `quantiles`
    is at least the number of rows. Missing cells are left out. The inverse is exact between the
    training values, and stays within them. scikit-learn's QuantileTransformer agrees but for values
    tied at the ends, which it makes 0 or 1.
    """

    to: Annotated[
        Literal["uniform", "normal"],
        Field(description="distribution: uniform on [0, 1], or standard normal"),
    ] = "uniform"
    quantiles: Annotated[
        Count,
        Field(ge=2, description="number of quantiles learned, at most the number of training rows"),
    ] = 1000

    invertible = True
    by_chunks = True

    def learn(self, numbers: np.ndarray | LazyRows) -> State:
        """Learns `quantiles` (q, ...), evenly spaced; NaN for a column without numbers."""
        q = min(self.quantiles, max(len(numbers), 2))
        quantiles = np.full((q, math.prod(numbers.shape[1:])), np.nan)
        for index, column in enumerate(columns_of(numbers)):
            present = column[~np.isnan(column)]
            if len(present):
                quantiles[:, index] = evenly_spaced_quantiles(
                    np.sort(present.astype(np.float64)), q
                )
        return {"quantiles": quantiles.reshape(q, *numbers.shape[1:])}

    def forward(self, x: np.ndarray, state: State, names: tuple[str, ...]) -> np.ndarray:
        fraction = _each_column(_cdf, x, np.asarray(state["quantiles"]))
        return (
            fraction
            if self.to == "uniform"
            else _map(_NORMAL.inv_cdf, np.clip(fraction, _RIM, 1 - _RIM))
        )

    def backward(self, y: np.ndarray, state: State) -> np.ndarray:
        fraction = y if self.to == "uniform" else _map(_NORMAL.cdf, y)
        return _each_column(_inverse_cdf, fraction, np.asarray(state["quantiles"]))


def _cdf(x: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Returns F(x): linear between quantiles, the middle of the ranks where several are x."""
    first = np.searchsorted(quantiles, x, side="left")
    after = np.searchsorted(quantiles, x, side="right")
    middle = (first + after - 1) / 2  # where x is a quantile, or several equal ones
    last = len(quantiles) - 1
    # beyond either end both are the quantile there
    lower, upper = quantiles[np.maximum(first - 1, 0)], quantiles[np.minimum(first, last)]
    inside = (first == after) & (lower < upper)
    between = first - 1 + np.divide(x - lower, upper - lower, out=np.zeros(x.shape), where=inside)
    return np.where(inside, between, np.clip(middle, 0, last)) / last


def _inverse_cdf(fraction: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    return np.interp(fraction, np.linspace(0, 1, len(quantiles)), quantiles)


def _each_column(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], x: np.ndarray, quantiles: np.ndarray
) -> np.ndarray:
    """Applies the function to each column and its quantiles; NaN where x is NaN, or has none."""
    columns, learned = x.reshape(len(x), -1), quantiles.reshape(len(quantiles), -1)
    y = np.full(columns.shape, np.nan)
    for column in range(columns.shape[1]):
        known = ~np.isnan(columns[:, column]) & ~np.isnan(learned[0, column])
        y[known, column] = function(columns[known, column], learned[:, column])
    return y.reshape(x.shape)


def _map(function: Callable[[float], float], numbers: np.ndarray) -> np.ndarray:
    """Applies the function to every number; NaN for NaN."""
    y = np.full(numbers.shape, np.nan)
    known = ~np.isnan(numbers)
    y[known] = np.fromiter(map(function, numbers[known].tolist()), np.float64, int(known.sum()))
    return y
