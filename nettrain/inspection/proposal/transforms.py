"""The transforms for some features, each with its reason."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from nettrain.component import find
from nettrain.data.automatic import MOST_INDICATORS, automatic_transforms
from nettrain.data.features import Features
from nettrain.data.rows.columns import ColumnsByName, columns_of
from nettrain.data.transform import Transform
from nettrain.inspection.data_profile.number_ranges import outlying_columns, skewed_columns
from nettrain.inspection.data_profile.wording import listed
from nettrain.inspection.proposal.choice import Choice
from nettrain.nn.architecture import Architecture

_KEPT = 5.0  # interquartile ranges that outliers are drawn in to


def propose_transforms(features: Features, *, embedded: bool = False) -> list[Choice]:
    """Those that nettrain chooses by itself, and what its numbers need more.

    Args:
        features: Of all rows.
        embedded: Whether the network bends features itself, so that they need only be scaled;
            otherwise skewed columns become logarithms, and outliers are drawn in.
    """
    chosen: list[Choice] = []
    numbers = _columns(features)
    skewed = skewed_columns(numbers)
    categories = list(features.categories)
    automatic = automatic_transforms(features, [features])
    complete = all(transform.name() != "impute" for transform in automatic)
    for transform in automatic:
        name = transform.name()
        if name == "standardize" and complete and features.numbers.ndim == 2:
            chosen.append(Choice(_imputed(), "nothing is missing here, but may be in new rows"))
        if name == "standardize" and embedded:
            chosen += _scaled()
        elif name == "standardize" and features.numbers.ndim == 2:
            if skewed:
                reason = f"skewed: {listed(skewed)}"
                chosen.append(Choice({"type": "log", "columns": skewed}, reason))
            outlying = outlying_columns(numbers, skewed)
            if not outlying:
                chosen.append(Choice(name, "mean 0, deviation 1 on the training part"))
            else:  # one number of 1e9 is all that a deviation tells of
                chosen.append(Choice("robust_scale", "median 0, interquartile range 1"))
                clip = {"type": "clip", "low": -_KEPT, "high": _KEPT}
                chosen.append(Choice(clip, f"far outliers in {listed(outlying)}"))
        elif name == "one_hot":
            chosen += _indicators(features, categories, embedded=embedded)
        elif name in _OF_COLUMNS:
            columns = list(vars(transform)["columns"])
            categories = [column for column in categories if column not in columns]
            chosen.append(Choice({"type": name, "columns": columns}, _OF_COLUMNS[name]))
        else:
            chosen.append(_explained(transform, features))
    return chosen


def _brought_by_tabular() -> Mapping[str, Any]:
    """The keys of `dataset` that the model tabular brings."""
    tabular = cast("type[Architecture]", find(Architecture, "tabular"))
    return cast("Mapping[str, Any]", tabular.settings["dataset"])


def _imputed() -> object:
    """What tabular asks for first: gaps filled, and told."""
    impute, *_ = _brought_by_tabular()["number_transforms"]
    return impute


def _scaled() -> list[Choice]:
    """What tabular asks for behind impute."""
    reasons = {
        "robust_scale": "median 0, interquartile range 1",
        "smooth_clip": "outliers are drawn in to 3",
    }
    return [
        Choice(one, reasons[one])
        for one in _brought_by_tabular()["number_transforms"]
        if isinstance(one, str)
    ]


def _largest_one_hot() -> int:
    """How many values a column has at most that becomes indicators for tabular."""
    one_hot, *_ = _brought_by_tabular()["category_transforms"]
    return int(one_hot["max_size"])


def _indicators(features: Features, categories: list[str], *, embedded: bool) -> list[Choice]:
    """Those of the categories; where the network embeds some, of the others."""
    sizes = {name: len(features.categories[name].values) for name in categories}
    largest = _largest_one_hot()
    long = [name for name, size in sizes.items() if embedded and size > largest]
    short = [name for name in categories if name not in long]
    one_hot = {"type": "one_hot", "max_size": largest} if long else "one_hot"
    chosen = [Choice(one_hot, f"of {listed(short)}")] if short else []
    if long:
        chosen.append(Choice("ordinal", f"codes, which the network embeds, of {listed(long)}"))
    return chosen


def count_inputs(features: Features, *, embedded: bool = False) -> int:
    """Roughly the inputs that a network gets of some features: what sizes it."""
    largest = _largest_one_hot() if embedded else MOST_INDICATORS
    if features.numbers.ndim > 2:
        return int(np.prod(features.numbers.shape[1:]))
    sizes = [len(column.values) for column in features.categories.values()]
    texts = sum(size if size <= largest else 1 for size in sizes)
    return int(features.numbers.shape[1]) + texts


_OF_COLUMNS = {
    "datetime": "dates as numbers and cyclic parts",
    "drop": "names or free text: they hardly repeat",
    "target_statistics": "of very many values: the target's mean in place of an input each",
}


def _explained(transform: Transform, features: Features) -> Choice:
    name = transform.name()
    if name == "impute":
        gaps = [
            f"{column} ({share:.0%})"
            for column, share in zip(features.names, _missing(features), strict=True)
            if share
        ]
        return Choice(_imputed(), f"missing: {listed(gaps) or 'dates'}")
    if name == "scale":
        divisor = vars(transform)["divide_by"]
        return Choice({"type": name, "divide_by": divisor}, "pixels become 0 to 1")
    return Choice(name, "pixels with mean 0 and deviation 1")


def _columns(features: Features) -> Mapping[str, np.ndarray]:
    is_table = features.numbers.ndim == 2
    return ColumnsByName(features.names, features.numbers) if is_table else {}


def _missing(features: Features) -> list[float]:
    return [float(np.isnan(column).mean()) for column in columns_of(features.numbers)]
