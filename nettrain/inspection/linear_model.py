"""A linear model of the rows that a network was trained on: what the network has to beat."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.primitive import Array
from nettrain.data.dataset import Dataset
from nettrain.inference.model import Model
from nettrain.inference.predictor import Predictor
from nettrain.metrics import all_metrics, outcome_of
from nettrain.optim import ClosureOptimizer
from nettrain.training.build import target_size
from nettrain.training.engine.blas import one_blas_thread

LARGEST = 50_000_000  # rows x inputs x outputs: above it fitting takes more than a few seconds
MOST_STEPS = 500
TOLERANCE = 1e-6  # of an element of the gradient
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


def linear_metrics(predictor: Predictor, dataset: Dataset, train: Dataset) -> dict[str, float]:
    """The metrics on some rows of a linear model fitted to the training rows.

    Its inputs are the network's, after the transforms; it counts every row alike.

    Args:
        predictor: The network that it stands beside.
        dataset: Rows with targets.
        train: The training rows.

    Returns:
        Empty for ensembles and autoencoders, and where fitting would take long (`LARGEST`).
    """
    if not isinstance(predictor, Model) or predictor.schema.autoencoder:
        return {}
    size, task = target_size(predictor.schema), predictor.task
    if len(train.features) * int(np.prod(predictor.pipeline.shape)) * size > LARGEST:
        return {}
    with one_blas_thread():
        targets = predictor.truth(train)
        is_binary = task == "classification" and size == 2
        if is_binary:
            encoded, link = targets[:, None].astype(np.float64), sigmoid
        elif task == "classification":
            encoded, link = (targets[:, None] == np.arange(size)).astype(np.float64), softmax
        else:
            encoded = targets.astype(np.float64)
            link = sigmoid if task == "multilabel" else identity
        predicted = fit_linear(_inputs(predictor, train), encoded, link)(
            _inputs(predictor, dataset)
        )
        if is_binary:
            predicted = np.hstack([1 - predicted, predicted])
        return all_metrics(outcome_of(task, predictor.truth(dataset), predicted), predictor.metrics)


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

    def evaluate(params: Array, gradient: Array | None = None) -> float:
        w, b = params[: d * y.shape[1]].reshape(d, -1), params[d * y.shape[1] :]
        z = x @ w + b
        dz = (link(z) - y) / n  # of the canonical link; of squared errors a half
        if gradient is not None:
            gradient[: w.size] = (x.T @ dz + STRENGTH / n * w).ravel()
            gradient[w.size :] = dz.sum(axis=0)
        return _loss(z, y, link) / n + STRENGTH / (2 * n) * float((w * w).sum())

    rule = ClosureOptimizer.parse("lbfgs")
    params = np.zeros((d + 1) * y.shape[1])
    state = rule.state(params.size, np.float64)
    generator = np.random.Generator(np.random.PCG64(0))  # L-BFGS draws nothing
    for t in range(1, MOST_STEPS + 1):
        rule.minimise(params, state, evaluate, lr=1.0, t=t, generator=generator)
        if np.abs(state["gradient"]).max() < TOLERANCE or not state["step"].any():
            break
    weights = params[: d * y.shape[1]].reshape(d, -1) * scale
    return LinearModel(weights, params[d * y.shape[1] :] * scale - center @ weights, link)


def _loss(z: Array, y: Array, link: Link) -> float:
    """Summed over the rows: the negative log-likelihood, or half the squared error."""
    if link is identity:
        return float(((z - y) ** 2).sum()) / 2
    if link is sigmoid:
        return float((np.logaddexp(0, z) - y * z).sum())
    return float((np.logaddexp.reduce(z, axis=1) - (y * z).sum(axis=1)).sum())


def identity(z: Array) -> Array:
    """z."""
    return z


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), without overflow."""
    return np.exp(-np.logaddexp(0, -z))


def softmax(z: Array) -> Array:
    """exp(z) / sum exp(z) of each row, without overflow."""
    return np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True))


def _inputs(model: Model, dataset: Dataset) -> Array:
    x = model.pipeline.inputs(dataset.features, model.config.dtype, dataset.place)[:]
    return x.reshape(len(x), -1).astype(np.float64)
