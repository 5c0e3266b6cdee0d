"""Gradient checks: a run's model and loss on its own data, against central differences."""

import math
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.backward import backward
from nettrain.autodiff.check import errors, slopes
from nettrain.autodiff.tensor import Tensor
from nettrain.errors import NettrainError
from nettrain.streams import generator
from nettrain.training.engine.blas import one_blas_thread
from nettrain.training.run import Run

# Of a difference, times max(1, |w|): the errors by rounding, 1e-16 / STEP, and by curvature,
# STEP^2, both stay below the tolerance.
STEP = 1e-5
LEAST = 1e-4  # times the loss: gradients below that drown in the rounding of the loss
# Fraction of their size by which the slopes on two sides differ at a kink; elsewhere about STEP.
BENT = 1e-3
NEARBY = 1e-3  # how far from a kink to look again, times max(1, |w|)
MOST = 64  # elements of one array that are checked

Elements = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class CheckedArray:
    """One parameter, or the input: where its gradient and the central difference differ most.

    Attributes:
        name, shape: Of the array.
        size, checked: How many numbers it holds, and how many of them were checked.
        error: Relative to the larger of the two, or to 1e-4 of the loss where both are smaller.
        index: Where the error is largest.
        autodiff, difference: The two derivatives there.
        kink: Whether it passed only beside the point: there the function has no derivative.
        passed: Whether the error is within the tolerance.
    """

    name: str
    shape: tuple[int, ...]
    size: int
    checked: int
    error: float
    index: tuple[int, ...]
    autodiff: float
    difference: float
    kink: bool
    passed: bool


@dataclass(frozen=True)
class GradientCheck:
    """All arrays of a model; `loss` is the mean over the rows that were used."""

    arrays: list[CheckedArray]
    rows: int
    loss: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether every array did."""
        return all(array.passed for array in self.arrays)


def check_gradients(
    run: Run, *, rows: int = 8, tolerance: float = 1e-6, elements: int = MOST
) -> GradientCheck:
    """Check the gradient of the mean loss, in training mode, for all parameters and the input.

    Dropout and other random operations draw the same numbers at every evaluation: those of step 0.
    Of large arrays the elements with the largest gradients are checked, and as many random ones.
    Penalties are not part of it: they are added in the update.

    At a kink (relu at 0) the difference means nothing. As in `nettrain.autodiff.check`, a finite
    gradient that fails must then lie between the slopes on its two sides and be correct at some
    point nearby. Where the two slopes clearly differ the latter is enough: several rows may be at
    kinks of their own, as with zero weights.

    Args:
        run: Of dtype float64, with the weights before its first step.
        rows: Of the training part that are used.
        tolerance: Largest relative error that passes.
        elements: Of each array that are checked at most.
    """
    with one_blas_thread():
        return _Checker(run, rows, tolerance, elements).check()


def _ignore(path: str, text: str) -> None:
    """Takes what layers report: the same in each of a hundred evaluations."""


class _Checker:
    def __init__(self, run: Run, rows: int, tolerance: float, elements: int) -> None:
        self.network, self.loss, self.tolerance = run.network, run.loss, tolerance
        self.most = elements
        part = run.step.part
        self.chance = generator(run.config.seed, "gradcheck")
        chosen = np.sort(self.chance.permutation(len(part))[:rows])
        if part.y is None:
            raise ValueError("a part without targets has no loss")
        self.x = np.asarray(part.x[chosen], np.float64)
        self.y = part.y[chosen]
        self.weights = (
            np.ones(len(chosen))
            if part.weights is None
            else part.weights[chosen].astype(np.float64)
        )
        self.weights /= self.weights.sum() or 1.0
        frozen = self.network.vector.frozen
        self.arrays = {"input": self.x} | {
            name: view for name, view in self.network.vector.views.items() if name not in frozen
        }

    def check(self) -> GradientCheck:
        loss = self.value()
        if not math.isfinite(loss):
            raise NettrainError(
                f"gradcheck: the loss of these {len(self.x)} rows is {loss}: look at the data and "
                "the model first"
            )
        least = LEAST * max(1.0, abs(loss))
        gradients = self.gradients()
        elements = {name: self.chosen(gradient) for name, gradient in gradients.items()}
        found = [self.checked(name, elements[name], gradients[name], least) for name in self.arrays]
        return GradientCheck(found, len(self.x), loss, self.tolerance)

    def mean_loss(self, x: Tensor) -> Tensor:
        return (
            self.loss.training_rows(self.network(x, training=True, report=_ignore), Tensor(self.y))
            * Tensor(self.weights)
        ).sum()

    def value(self) -> float:
        return self.mean_loss(Tensor(self.x)).item()

    def gradients(self) -> dict[str, np.ndarray]:
        """Of every array; zeros for one that the loss does not depend on."""
        x = Tensor(self.x, requires_grad=True)
        self.network.vector.gradient[...] = 0
        found = backward(self.mean_loss(x), into=self.network.slots)
        views = {
            name: view.copy()
            for name, view in self.network.vector.gradient_views.items()
            if name in self.arrays
        }
        return {"input": np.asarray(found[x])} | views

    def chosen(self, gradient: np.ndarray) -> Elements:
        """The places of all elements, or of so many, the largest and others."""
        if gradient.size <= self.most:
            places = np.arange(gradient.size)
        else:
            order = np.argsort(-np.abs(gradient), axis=None, kind="stable")
            largest = self.most // 2
            others = self.chance.permutation(order[largest:])[: self.most - largest]
            places = np.sort(np.concatenate([order[:largest], others]))
        return np.unravel_index(places, gradient.shape)

    def checked(
        self, name: str, elements: Elements, gradient: np.ndarray, least: float
    ) -> CheckedArray:
        array = self.arrays[name]
        left, right = self.slopes(array, elements)
        error, outside = errors(gradient[elements], left, right, least)
        worst = int(error.argmax()) if error.size else 0
        passed = not error.size or error[worst] <= self.tolerance
        bent = np.abs(right - left) > BENT * np.maximum(least, np.abs(left) + np.abs(right))
        excused = (bent | (outside <= 100 * self.tolerance)) & np.isfinite(gradient[elements])
        kink = (
            not passed
            and bool(excused[error > self.tolerance].all())
            and self.right_nearby(name, elements, least)
        )
        return CheckedArray(
            name=name,
            shape=array.shape,
            size=array.size,
            checked=len(error),
            error=float(error[worst]) if error.size else 0.0,
            index=tuple(int(place[worst]) for place in elements) if error.size else (),
            autodiff=float(gradient[elements][worst]) if error.size else 0.0,
            difference=float((left + right)[worst] / 2) if error.size else 0.0,
            kink=kink,
            passed=bool(passed or kink),
        )

    def slopes(self, array: np.ndarray, elements: Elements) -> tuple[np.ndarray, np.ndarray]:
        """The slopes of the loss on both sides of the chosen elements."""
        return slopes(self.value, array, zip(*elements, strict=True), STEP)

    def right_nearby(self, name: str, elements: Elements, least: float) -> bool:
        """Whether the gradients of these elements are right at some point close by."""
        before = {name: array.copy() for name, array in self.arrays.items()}
        for _ in range(4):
            for name_, array in self.arrays.items():
                shift = (
                    self.chance.uniform(-1, 1, array.shape)
                    * NEARBY
                    * np.maximum(1, np.abs(before[name_]))
                )
                array[...] = before[name_] + shift
            error, _ = errors(
                self.gradients()[name][elements], *self.slopes(self.arrays[name], elements), least
            )
            for name_, array in self.arrays.items():
                array[...] = before[name_]
            if error.max() <= self.tolerance:
                return True
        return False
