"""Columns of numbers whose range makes training hard: skewed, with far outliers, or not scaled."""

from collections.abc import Iterator, Mapping

import numpy as np

from nettrain.inspection.data_profile.profiled_rows import SHOWN, ProfiledRows
from nettrain.inspection.data_profile.remedies import override, transform
from nettrain.inspection.data_profile.suspicion import Suspicion
from nettrain.inspection.data_profile.wording import listed, plural

_SKEWED = 2.0  # of an exponential distribution; a normal one has 0
_FAR = 8.0  # standard deviations, beyond which a number is an outlier
_BROKEN = 1e4  # robust deviations, beyond which a number is a mistake
_BROKEN_LOGARITHM = 20.0  # and in a logarithm, for what spreads over powers of ten
_FEWEST = 20  # numbers of which a column shows its range
_MOST_BROKEN = 0.01  # of the numbers; more are no outliers
_NORMAL = 1.349  # the interquartile range of a normal distribution, in deviations
_LARGE = 100.0  # deviation or mean of an input to which no transform gives a scale
_SCALING = frozenset(
    {"standardize", "robust_scale", "minmax", "quantile", "log", "scale", "piecewise_linear"}
)
# What draws in or spreads the tail of a skewed column, so that it needs no logarithm.
_TAIL = frozenset({"log", "quantile", "piecewise_linear", "smooth_clip", "drop"})


def skewed_columns(numbers: Mapping[str, np.ndarray]) -> list[str]:
    """The columns of numbers, none below 0, that a logarithm makes more symmetric."""
    found = []
    for name, column in numbers.items():
        x = column[~np.isnan(column)]
        if x.size and x.min() >= 0 and len(np.unique(x)) > 2:
            before, after = abs(skewness(x)), abs(skewness(np.log1p(x)))
            if before > _SKEWED and after < before / 2:
                found.append(name)
    return found


def outlying_columns(numbers: Mapping[str, np.ndarray], logarithmic: list[str]) -> list[str]:
    """The columns with a number beyond 8 standard deviations.

    Args:
        numbers: By name.
        logarithmic: Those that are judged by their logarithm.
    """
    found = []
    for name, column in numbers.items():
        x = column[~np.isnan(column)]
        x = np.log1p(x) if name in logarithmic else x
        if x.size and len(np.unique(x)) > 2 and np.abs(x - x.mean()).max() > _FAR * x.std():
            found.append(name)
    return found


def skewness(x: np.ndarray) -> float:
    """E ((x - mean) / deviation)^3; 0 for a constant."""
    deviation = x.std()
    return float((((x - x.mean()) / deviation) ** 3).mean()) if deviation else 0.0


def range_suspicions(rows: ProfiledRows) -> Iterator[Suspicion]:
    """A suspicion for each column with far outliers or no scale, one for all skewed columns."""
    for name, x in rows.numbers.items():
        far = broken_numbers(x)
        if len(far):
            yield _outliers(rows, name, x, far)
    skewed = [name for name in skewed_columns(rows.numbers) if not rows.transforms_of(name) & _TAIL]
    if skewed:
        yield Suspicion(
            "skewed",
            "note",
            f"{plural(len(skewed), 'column')} of skewed numbers: {listed(skewed)}",
            f"{transform('log', skewed)}, before `standardize`",
            tuple(skewed),
        )
    yield from _unscaled(rows)


def broken_numbers(x: np.ndarray) -> np.ndarray:
    """The places (m,) of numbers 10,000 robust deviations or more away, the farthest first.

    |x - median| / (interquartile range / 1.349). Where half of the numbers are one value, the
    others decide. Numbers that a logarithm draws in are none.
    """
    present = np.flatnonzero(~np.isnan(x))
    if len(present) < _FEWEST:
        return present[:0]
    values = x[present]
    far = _robust_deviations(values)
    beyond = far > _BROKEN
    if not beyond.any() or beyond.mean() > _MOST_BROKEN:
        return present[:0]
    if values.min() >= 0:
        beyond &= _robust_deviations(np.log1p(values)) > _BROKEN_LOGARITHM
    chosen = present[beyond]
    return chosen[np.argsort(-far[beyond], kind="stable")]


def _robust_deviations(values: np.ndarray) -> np.ndarray:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    if high == low:
        others = values[values != middle]
        if len(others) < _FEWEST:
            return np.zeros(len(values))
        low, middle, high = np.quantile(others, (0.25, 0.5, 0.75))
    if high == low:
        return np.zeros(len(values))
    with np.errstate(over="ignore"):
        return np.abs(values - middle) / ((high - low) / _NORMAL)


def _outliers(rows: ProfiledRows, name: str, x: np.ndarray, far: np.ndarray) -> Suspicion:
    others = np.delete(x, far)
    low, high = np.nanmin(others), np.nanmax(others)
    examples = tuple(f"{x[place]:g}" for place in far[:SHOWN])
    return Suspicion(
        "outlier",
        "warning",
        f"column {name!r}: {plural(len(far), 'number')} such as {examples[0]} far beyond the "
        f"others, which are {low:g} to {high:g}",
        f"{override(rows, name, missing=examples[:1])}, or correct the value",
        (name,),
        rows.lines(far),
        examples,
    )


def _unscaled(rows: ProfiledRows) -> Iterator[Suspicion]:
    """Columns that reach the network in their own large units."""
    if rows.transforms is None:
        return
    for name, x in rows.numbers.items():
        if rows.transforms_of(name) & (_SCALING | {"drop"}) or np.isnan(x).all():
            continue
        largest = max(abs(float(np.nanmean(x))), float(np.nanstd(x)))
        if largest > _LARGE:
            yield Suspicion(
                "unscaled_input",
                "warning",
                f"column {name!r}: reaches the network as it is, with mean {np.nanmean(x):.3g} and "
                f"deviation {np.nanstd(x):.3g}",
                "`standardize` in `dataset.transforms`",
                (name,),
            )
