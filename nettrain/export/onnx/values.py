"""The outputs of a graph that predicts values: one per target, their quantiles, their interval."""

import numpy as np

from nettrain.export.onnx.builder import Builder
from nettrain.inference.predictor import Predictor

VALUE, QUANTILES, LOWER, UPPER = "variable", "quantiles", "lower", "upper"


def value_outputs(predictor: Predictor) -> dict[str, int]:
    """The names of the outputs, and how many columns each has per target."""
    levels = len(predictor.decision.levels)
    names = {VALUE: 1} | ({QUANTILES: levels} if levels > 1 else {})
    return names if predictor.conformal is None else names | {LOWER: 1, UPPER: 1}


def values_of(predictor: Predictor, found: np.ndarray) -> dict[str, np.ndarray]:
    """What nettrain gives for these outputs, of what `predictions_of` returned."""
    values = {VALUE: predictor.decision.values(found), QUANTILES: found}
    if predictor.conformal is not None:
        values[LOWER], values[UPPER] = predictor.conformal.interval(found)
    return {name: values[name] for name in value_outputs(predictor)}


def add_values(g: Builder, predictor: Predictor, found: str, targets: int) -> None:
    """Add the outputs, of values (n, t) or quantiles (n, k t)."""
    decision, conformal = predictor.decision, predictor.conformal
    levels = len(decision.levels)

    def quantile(place: int) -> str:
        if levels <= 1:
            return found
        columns = np.arange(place * targets, (place + 1) * targets)
        return g.add("Gather", found, g.constant(columns.astype(np.int64)), axis=1)

    g.add("Identity", quantile(decision.central), name=VALUE)
    if levels > 1:
        g.add("Identity", found, name=QUANTILES)
    if conformal is None:
        return
    margins = g.constant(conformal.margins)
    lower = g.add("Sub", quantile(conformal.pair), margins)
    upper = g.add("Add", quantile(levels - 1 - conformal.pair), margins)
    middle = g.add("Mul", g.add("Add", lower, upper), g.scalar(0.5))
    g.add("Min", lower, middle, name=LOWER)
    g.add("Max", upper, middle, name=UPPER)
