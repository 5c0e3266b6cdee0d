"""How much a row counts in the loss: its own weight times that of its class.

Metrics count every row alike.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import PlainValidator

from nettrain.component import NonNegative
from nettrain.data.dataset import Dataset
from nettrain.errors import ConfigError, DataError, nearest


def _class_weights(value: object) -> Literal["balanced"] | dict[str, float] | None:
    """Returns `balanced`, or a weight by class name; integers may name classes too."""
    if value is None or value == "balanced":
        return value
    if not isinstance(value, Mapping) or not value:
        raise ValueError("expected balanced, or a mapping from class names to weights")
    weights: dict[str, float] = {}
    for name, weight in value.items():
        if not isinstance(name, str | int) or isinstance(name, bool):
            raise ValueError(f"expected the name of a class, got {name!r}; put it in quotes")
        if (
            isinstance(weight, bool)
            or not isinstance(weight, int | float)
            or not 0 <= weight < float("inf")
        ):
            raise ValueError(
                f"expected a finite number of 0 or more as the weight of class {str(name)!r}, got "
                f"{weight!r}"
            )
        weights[str(name)] = float(weight)
    if not any(weights.values()):
        raise ValueError("expected a weight above 0 for one class at least")
    return weights


ClassWeights = Annotated[
    Literal["balanced"] | dict[str, float] | None,
    PlainValidator(
        _class_weights, json_schema_input_type=Literal["balanced"] | dict[str, NonNegative] | None
    ),
]


def settle_class_weights(
    given: Literal["balanced"] | Mapping[str, float], train: Dataset
) -> dict[str, float]:
    """The weight of every class by name.

    Balanced class weights: W / (k W_c), where W_c is the total weight of the training rows of class
    c, W that of all rows, and k the number of classes that have any. Every class then counts the
    same in total. Without row weights this is scikit-learn's n / (k n_c).

    Args:
        given: `balanced`, or weights by class name; a class that is not named weighs 1.
        train: The rows of the training part.

    Raises:
        ConfigError: A name is no class of the target, or the target has no classes.
    """
    target = train.target
    if target is None or target.classes is None:
        raise ConfigError(
            "training.class_weights: only classes have weights, and the target is numbers; leave "
            "it out, or give weights to rows (`dataset.source.weights`)"
        )
    if isinstance(given, Mapping):
        for name in given:
            if name not in target.classes:
                known = ", ".join(target.classes[:20]) + (
                    " ..." if len(target.classes) > 20 else ""
                )
                raise ConfigError(
                    f"training.class_weights: {name!r} is no class of the target"
                    f"{nearest(name, target.classes)} (there are: {known})"
                )
        return {name: given.get(name, 1.0) for name in target.classes}
    counts = np.bincount(
        target.values, weights=train.weights, minlength=len(target.classes)
    ).astype(np.float64)
    per_class = counts.sum() / np.count_nonzero(counts)
    return {
        name: float(per_class / count) if count else 1.0
        for name, count in zip(target.classes, counts, strict=True)
    }


def row_weights(dataset: Dataset, class_weights: Mapping[str, float] | None) -> np.ndarray | None:
    """The weight of each row (n,) float64; None where all rows count the same.

    Raises:
        DataError: All weights are 0, so that the loss would have no mean.
    """
    weights, target = dataset.weights, dataset.target
    if class_weights is not None and target is not None and target.classes is not None:
        by_code = np.array([class_weights[name] for name in target.classes])
        of_class = by_code[target.values]
        weights = of_class if weights is None else weights * of_class
    if weights is not None and not weights.any():
        raise DataError(
            f"{dataset.origin}: all {len(dataset)} rows of one part have the weight 0, so its loss "
            "has no mean; give one of them a weight above 0 (row weights, training.class_weights)"
        )
    return weights
