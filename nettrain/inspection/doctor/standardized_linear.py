"""A linear model of standardized inputs, for the checks that compare with one."""

from dataclasses import dataclass

import numpy as np

from nettrain.data.pipeline import Pipeline
from nettrain.inspection.linear_model import (
    LARGEST,
    LinearModel,
    fit_to_targets,
    flat_inputs,
    flat_width,
)
from nettrain.training.build import target_size

FEWEST = 100  # rows: where so few are too many to fit quickly, there is no linear model


@dataclass(frozen=True)
class StandardizedLinear:
    """A linear model whose inputs are standardized first, so that one penalty suits all scales.

    Attributes:
        model: Of the standardized inputs.
        mean, scale: Of the inputs (d,).
        pipeline: What made them.
    """

    model: LinearModel
    mean: np.ndarray
    scale: np.ndarray
    pipeline: Pipeline

    def predictions(self, x: np.ndarray, task: str) -> np.ndarray:
        """Probabilities or numbers for inputs (n, ...), as metrics take them."""
        flat = flat_inputs(x, self.pipeline)
        return self.model.predictions((flat - self.mean) / self.scale, task)


def fit_standardized(
    pipeline: Pipeline, x: np.ndarray, truth: np.ndarray
) -> StandardizedLinear | None:
    """Fit to evenly spread rows, as many as take half a second at most.

    Args:
        pipeline: Says what the targets are.
        x: Inputs (n, ...).
        truth: Targets as metrics take them.

    Returns:
        None for an autoencoder, and where that is too few rows.
    """
    most = LARGEST // max(flat_width(pipeline) * target_size(pipeline.schema), 1)
    if pipeline.schema.autoencoder or most < min(FEWEST, len(x)):
        return None
    rows = np.linspace(0, len(x) - 1, min(most, len(x))).astype(np.int64)
    flat = flat_inputs(x[rows], pipeline)
    mean, scale = flat.mean(axis=0), flat.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    model = fit_to_targets((flat - mean) / scale, truth[rows], pipeline)
    return StandardizedLinear(model, mean, scale, pipeline)
