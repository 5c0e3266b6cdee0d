"""The transforms for some features, each with its reason."""

import numpy as np

from nettrain.data.automatic import automatic_transforms
from nettrain.data.features import Features
from nettrain.data.transform import Transform
from nettrain.inspection.proposal.choice import Choice

_SKEWED = 2.0  # of an exponential distribution; a normal one has 0
_FAR = 8.0  # standard deviations, beyond which a number is an outlier
_KEPT = 5.0  # standard deviations that outliers are drawn in to
_DATE_INPUTS = 8


def propose_transforms(features: Features) -> list[Choice]:
    """Those that nettrain chooses by itself, with logarithms of skewed columns and bounds."""
    chosen: list[Choice] = []
    skewed = _skewed(features)
    for transform in automatic_transforms(features, [features]):
        name = transform.name()
        if name == "standardize" and features.numbers.ndim == 2:
            if skewed:
                reason = f"skewed: {_listed(skewed)}"
                chosen.append(Choice({"type": "log", "columns": skewed}, reason))
            chosen.append(Choice(name, "mean 0, deviation 1 on the training part"))
            if outlying := _outlying(features, skewed):
                clip = {"type": "clip", "low": -_KEPT, "high": _KEPT}
                chosen.append(Choice(clip, f"far outliers in {_listed(outlying)}"))
        else:
            chosen.append(_explained(transform, features))
    return chosen


def count_inputs(features: Features) -> int:
    """Roughly the inputs that a network gets of some features: what sizes it."""
    if features.numbers.ndim > 2:
        return int(np.prod(features.numbers.shape[1:]))
    texts = sum(min(len(column.values), _MOST) for column in features.categories.values())
    return int(features.numbers.shape[1]) + texts


_MOST = 1000  # values of a category that are counted


def _explained(transform: Transform, features: Features) -> Choice:
    name = transform.name()
    if name == "impute":
        gaps = [
            f"{column} ({share:.0%})"
            for column, share in zip(features.names, _missing(features), strict=True)
            if share
        ]
        return Choice(
            {"type": "impute", "strategy": "median", "flag": True},
            f"missing: {_listed(gaps) or 'dates'}",
        )
    if name == "datetime":
        columns = list(vars(transform)["columns"])
        return Choice({"type": name, "columns": columns}, "dates as numbers and cyclic parts")
    if name == "scale":
        divisor = vars(transform)["divide_by"]
        return Choice({"type": name, "divide_by": divisor}, "pixels become 0 to 1")
    if name == "one_hot":
        return Choice(name, f"of {_listed(list(features.categories))}")
    return Choice(name, "pixels with mean 0 and deviation 1")


def _missing(features: Features) -> list[float]:
    x = features.array
    return list(np.isnan(x).mean(axis=0)) if x.dtype.kind == "f" else [0.0] * x.shape[1]


def _skewed(features: Features) -> list[str]:
    """The columns of numbers, none below 0, that a logarithm makes more symmetric."""
    if features.numbers.ndim != 2:
        return []
    found = []
    for name, column in zip(features.names, features.array.T.astype(np.float64), strict=True):
        x = column[~np.isnan(column)]
        if x.size and x.min() >= 0 and len(np.unique(x)) > 2:
            before, after = abs(_skewness(x)), abs(_skewness(np.log1p(x)))
            if before > _SKEWED and after < before / 2:
                found.append(name)
    return found


def _outlying(features: Features, logarithmic: list[str]) -> list[str]:
    found = []
    for name, column in zip(features.names, features.array.T.astype(np.float64), strict=True):
        x = column[~np.isnan(column)]
        x = np.log1p(x) if name in logarithmic else x
        if x.size and len(np.unique(x)) > 2 and np.abs(x - x.mean()).max() > _FAR * x.std():
            found.append(name)
    return found


def _skewness(x: np.ndarray) -> float:
    """E ((x - mean) / deviation)^3; 0 for a constant."""
    deviation = x.std()
    return float((((x - x.mean()) / deviation) ** 3).mean()) if deviation else 0.0


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
