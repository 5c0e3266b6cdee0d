"""Checks of gradients against central differences."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.functional import vjp
from nettrain.autodiff.primitive import Array
from nettrain.autodiff.tensor import Tensor


@dataclass(frozen=True)
class Disagreement:
    """The element with the largest error, relative to the larger of both values and 1."""

    argument: int
    index: tuple[int, ...]
    autodiff: float
    difference: float
    error: float

    def __str__(self) -> str:
        return (
            f"argument {self.argument}{list(self.index)}: autodiff {self.autodiff:.10g}, "
            f"finite difference {self.difference:.10g}, relative error {self.error:.2e}"
        )


def slopes(
    evaluate: Callable[[], float], x: Array, elements: Iterable[tuple[int, ...]], step: float
) -> tuple[Array, Array]:
    """(f(x) - f(x - h)) / h and (f(x + h) - f(x)) / h for some elements of x; h = step max(1, |x|).

    Args:
        evaluate: Computes f from the present values of x.
        x: Changed in place, one element at a time, and restored.
        elements: The indices of the elements.
        step: Of the difference, relative to an element above 1.
    """
    here = evaluate()
    pairs = []
    for index in elements:
        before = x[index]
        h = step * max(1.0, abs(float(before)))
        pair = []
        for moved in (before - h, before + h):
            x[index] = moved
            pair.append((evaluate() - here) / (moved - before))
        x[index] = before
        pairs.append(pair)
    left, right = np.array(pairs, np.float64).reshape(-1, 2).T
    return left, right


def central_differences(
    f: Callable[..., float], args: list[Array], argument: int, step: float = 1e-6
) -> Array:
    """(f(x + h) - f(x - h)) / 2h for every element of one argument."""
    point = [np.array(a, np.float64) for a in args]
    x = point[argument]
    left, right = slopes(lambda: f(*point), x, np.ndindex(*x.shape), step)
    return ((left + right) / 2).reshape(x.shape)


def check(
    f: Callable[..., Tensor], *args: Any, tolerance: float = 1e-6, step: float = 1e-6, seed: int = 0
) -> Disagreement | None:
    """Compare the gradients of f with central differences.

    At a kink (relu at 0) the central difference is the mean of two slopes and proves nothing. So
    where gradients fail, they pass after all if each lies between the slopes on its two sides
    (which are coarser: 100 times the tolerance), and all are right at some point nearby.

    Args:
        f: The function; a result of any shape is weighted with random numbers and summed.
        args: Where; float64.
        tolerance: The largest relative error that passes.
        step: Of the difference, relative to an element above 1.
        seed: Of the random numbers.

    Returns:
        The largest error; None if it passes.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    point = [np.array(a, dtype=np.float64) for a in args]
    weights = generator.uniform(0.5, 1.5, size=f(*[Tensor(a) for a in point]).shape)

    worst, outside = _worst(f, point, weights, step)
    if worst is None or worst.error <= tolerance:
        return None
    if outside > 100 * tolerance:
        return worst
    for _ in range(4):
        shifts = [
            generator.uniform(-1, 1, size=a.shape) * 1e-3 * np.maximum(1, np.abs(a)) for a in point
        ]
        nearby = [np.asarray(a + shift) for a, shift in zip(point, shifts, strict=True)]
        again, _ = _worst(f, nearby, weights, step)
        if again is None or again.error <= tolerance:
            return None
    return worst


def errors(gradient: Array, left: Array, right: Array, least: float = 1.0) -> tuple[Array, Array]:
    """The errors of gradients, given the slopes on both sides of each element.

    Returns:
        The distance to the mean of both slopes, and the distance to the interval between them.
        Both are relative to the larger of gradient and mean, or to `least` where that is larger;
        infinite where a gradient or a slope is not finite.
    """
    with np.errstate(invalid="ignore"):  # infinite numbers
        difference = (left + right) / 2
        scale = np.maximum(least, np.maximum(np.abs(gradient), np.abs(difference)))
        error = np.abs(gradient - difference) / scale
        outside = np.maximum(error - np.abs(right - left) / (2 * scale), 0)
    undefined = np.isnan(error)
    return np.where(undefined, np.inf, error), np.where(undefined, np.inf, outside)


def _worst(
    f: Callable[..., Tensor], point: list[Array], weights: Array, step: float
) -> tuple[Disagreement | None, float]:
    """The element with the largest error, and the largest distance to the interval of slopes."""

    def evaluate() -> float:
        return float(np.sum(f(*[Tensor(a) for a in point]).value * weights))

    _, pull = vjp(f, *point)
    worst: Disagreement | None = None
    farthest = 0.0
    for argument, gradient in enumerate(pull(weights)):
        x = point[argument]
        left, right = (
            slope.reshape(x.shape) for slope in slopes(evaluate, x, np.ndindex(*x.shape), step)
        )
        difference = (left + right) / 2
        error, outside = errors(gradient, left, right)
        if error.size:
            at = tuple(int(i) for i in np.unravel_index(int(error.argmax()), error.shape))
            if worst is None or error[at] > worst.error:
                worst = Disagreement(
                    argument, at, float(gradient[at]), float(difference[at]), float(error[at])
                )
            farthest = max(farthest, float(outside.max()))
    return worst, farthest
