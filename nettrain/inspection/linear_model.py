"""A linear model of the rows that a network was trained on: what the network has to beat."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.primitive import Array
from nettrain.config.run_config import RunConfig
from nettrain.data.pipeline import Pipeline
from nettrain.data.rows.base import LazyRows
from nettrain.optim import ClosureOptimizer
from nettrain.training.build import target_size

LARGEST = 10_000_000  # rows x inputs x outputs: up to it fitting takes half a second at most
MOST_STEPS = 500
TOLERANCE = 1e-5  # of an element of the gradient
STRENGTH = 1.0  # of the penalty: alpha of scikit-learn's Ridge, 1 / C of its LogisticRegression

Link = Callable[[Array], Array]


@dataclass(frozen=True)
class LinearModel:
    """Logistic or ridge regression. y = link(x W + b).

    Attributes:
        weights: (d, o).
        bias: (o,).
        link: softmax for classes, sigmoid for two classes and labels, none for numbers.
    """

    weights: Array
    bias: Array
    link: Link

    def __call__(self, x: Array) -> Array:
        """Probabilities (n, o), of two classes that of the second (n, 1), or numbers (n, o)."""
        return self.link(x @ self.weights + self.bias)

    def predictions(self, x: Array, task: str) -> Array:
        """As metrics take them: of two classes the probabilities of both (n, 2)."""
        predicted = self(x)
        is_binary = task == "classification" and predicted.shape[1] == 1
        return np.hstack([1 - predicted, predicted]) if is_binary else predicted


def left_out(config: RunConfig, pipeline: Pipeline, rows: int) -> str | None:
    """Why no linear model stands beside a network; None: it is fitted.

    Args:
        config: Its `baseline` may ask for a linear model above `LARGEST` too.
        pipeline: Of the network.
        rows: Of the training part.

    Returns:
        Half a sentence; empty where there is nothing to explain.
    """
    if pipeline.schema.autoencoder or not config.compares_with("linear"):
        return ""
    inputs, outputs = flat_width(pipeline), target_size(pipeline.schema)
    if config.baseline is not None or rows * inputs * outputs <= LARGEST:
        return None
    return (
        f"fitting it to {rows:,} rows of {inputs:,} inputs for {outputs:,} "
        f"output{'s' * (outputs != 1)} may take long; baseline=[constant,linear] asks for it"
    )


def fit_to_targets(x: Array, targets: Array, pipeline: Pipeline) -> LinearModel:
    """Fit to targets as metrics take them.

    Args:
        x: Inputs (n, d) in float64.
        targets: Codes of classes (n,), 0/1 labels (n, o), or numbers (n, o) in original units.
        pipeline: Says which of these they are, and how many classes there are.
    """
    task, size = pipeline.schema.task, target_size(pipeline.schema)
    if task != "classification":
        return fit_linear(
            x, targets.astype(np.float64), identity if task == "regression" else sigmoid
        )
    if size == 2:
        return fit_linear(x, targets[:, None].astype(np.float64), sigmoid)
    return fit_linear(x, (targets[:, None] == np.arange(size)).astype(np.float64), softmax)


def flat_width(pipeline: Pipeline) -> int:
    """The inputs of a linear model of what the pipeline makes."""
    cardinalities = pipeline.cardinalities
    return math.prod(pipeline.shape) - len(cardinalities) + sum(cardinalities)


def flat_inputs(x: Array | LazyRows, pipeline: Pipeline) -> Array:
    """Inputs (n, ...) as a new array (n, d) in float64; codes of categories are one-hot encoded."""
    flat = x[:].reshape(len(x), -1).astype(np.float64)
    if not pipeline.cardinalities:
        return flat
    numbers = flat.shape[1] - len(pipeline.cardinalities)
    indicators = [
        codes[:, np.newaxis] == np.arange(cardinality)
        for codes, cardinality in zip(flat[:, numbers:].T, pipeline.cardinalities, strict=True)
    ]
    return np.column_stack([flat[:, :numbers], *indicators])


def fit_linear(x: Array, y: Array, link: Link) -> LinearModel:
    """Fit by L-BFGS: sum of the loss over the rows + |W|^2 / 2, or + |W|^2 for squared errors.

    The loss is the negative log-likelihood, or the squared error where there is no link. b has no
    penalty. scikit-learn: LogisticRegression(C=1), Ridge(alpha=1).

    Args:
        x: Inputs (n, d) in float64.
        y: One-hot classes, 0/1 labels or numbers (n, o) in float64.
        link: softmax, sigmoid or identity.
    """
    n, d = x.shape
    center = x.mean(axis=0)  # b absorbs it, and L-BFGS needs fewer steps
    x = x - center
    scale = np.maximum(y.std(axis=0), 1e-12) if link is identity else np.ones(y.shape[1])
    y = y / scale

    def evaluate(params: Array, gradient: Array) -> float:
        w, b = params[: d * y.shape[1]].reshape(d, -1), params[d * y.shape[1] :]
        predicted, loss = _predicted_and_loss(x @ w + b, y, link)
        dz = (predicted - y) / n  # of the canonical link; of squared errors a half
        gradient[: w.size] = (x.T @ dz + STRENGTH / n * w).ravel()
        gradient[w.size :] = dz.sum(axis=0)
        return loss / n + STRENGTH / (2 * n) * float((w * w).sum())

    objective = _Objective(evaluate)
    rule = ClosureOptimizer.parse("lbfgs")
    params = np.zeros((d + 1) * y.shape[1])
    state = rule.state(params.size, np.float64)
    generator = np.random.Generator(np.random.PCG64(0))  # L-BFGS draws nothing
    for t in range(1, MOST_STEPS + 1):
        rule.minimise(params, state, objective, lr=1.0, t=t, generator=generator)
        if np.abs(state["gradient"]).max() < TOLERANCE or not state["step"].any():
            break
    weights = params[: d * y.shape[1]].reshape(d, -1) * scale
    return LinearModel(weights, params[d * y.shape[1] :] * scale - center @ weights, link)


class _Objective:
    """Remembers where it was evaluated last: there a line search ends and the next one begins."""

    def __init__(self, evaluate: Callable[[Array, Array], float]) -> None:
        self._evaluate = evaluate
        self._params: Array | None = None

    def __call__(self, params: Array, gradient: Array | None = None) -> float:
        if self._params is None or not np.array_equal(params, self._params):
            self._params, self._gradient = params.copy(), np.empty_like(params)
            self._value = self._evaluate(params, self._gradient)
        if gradient is not None:
            gradient[...] = self._gradient
        return self._value


def _predicted_and_loss(z: Array, y: Array, link: Link) -> tuple[Array, float]:
    """link(z), and summed over the rows the negative log-likelihood or half the squared error."""
    if link is identity:
        return z, float(((z - y) ** 2).sum()) / 2
    if link is sigmoid:
        return sigmoid(z), float((np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - y * z).sum())
    shifted = z - z.max(axis=1, keepdims=True)  # exp overflows float64 above 709
    powers = np.exp(shifted)
    totals = powers.sum(axis=1, keepdims=True)
    return powers / totals, float(np.log(totals).sum() - (y * shifted).sum())


def identity(z: Array) -> Array:
    """z."""
    return z


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), without overflow."""
    return np.exp(-np.logaddexp(0, -z))


def softmax(z: Array) -> Array:
    """exp(z) / sum exp(z) of each row, without overflow."""
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
