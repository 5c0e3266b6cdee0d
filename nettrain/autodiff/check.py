"""Gradients held against central differences."""
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nettrain.autodiff.functional import vjp
from nettrain.autodiff.primitive import Array
from nettrain.autodiff.tensor import Tensor


@dataclass(frozen=True)
class Disagreement:
    """The element where autodiff and the finite difference differ most, relative to the larger of them and 1."""

    argument: int
    index: tuple[int, ...]
    autodiff: float
    difference: float
    error: float

    def __str__(self) -> str:
        place = f"argument {self.argument}{list(self.index)}"
        return f"{place}: autodiff {self.autodiff:.10g}, finite difference {self.difference:.10g}, relative error {self.error:.2e}"


def central_differences(f: Callable[..., float], args: list[Array], argument: int, step: float = 1e-6) -> Array:
    """(f(x + h) - f(x - h)) / 2h for every element of one argument, in float64; h = step max(1, |x|)."""
    found = np.empty(args[argument].shape)
    for index in np.ndindex(*found.shape):
        h = step * max(1.0, abs(float(args[argument][index])))
        values = []
        for sign in (1, -1):
            moved = [a.copy() for a in args]
            moved[argument][index] += sign * h
            values.append(f(*moved))
        found[index] = (values[0] - values[1]) / (2 * h)
    return found


def check(f: Callable[..., Tensor], *args: Any, tolerance: float = 1e-6, step: float = 1e-6, seed: int = 0) -> Disagreement | None:
    """The worst disagreement between f's gradients and central differences, or None if there is none above `tolerance`.

    f may give any shape: its result is weighted with random numbers and summed. At a kink (relu at 0) the central difference is the
    mean of the two slopes and means nothing, so an element that fails is tried again at nearby points: a wrong derivative is wrong
    at all of them, a right one only at the kink.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    point = [np.array(a, dtype=np.float64) for a in args]
    weights = generator.uniform(0.5, 1.5, size=f(*[Tensor(a) for a in point]).shape)

    def total(*arrays: Array) -> float:
        return float(np.sum(f(*[Tensor(a) for a in arrays]).value * weights))

    worst = _worst(f, total, point, weights, step)
    for _ in range(4):
        if worst is None or worst.error <= tolerance:
            return None
        shifts = [generator.uniform(-1, 1, size=a.shape) * 1e-3 * np.maximum(1, np.abs(a)) for a in point]
        again = _worst(f, total, [a + s for a, s in zip(point, shifts, strict=True)], weights, step)
        if again is None or again.error < worst.error:
            worst = again
    return worst if worst is not None and worst.error > tolerance else None


def _worst(f: Callable[..., Tensor], total: Callable[..., float], point: list[Array], weights: Array, step: float) -> Disagreement | None:
    _, pull = vjp(f, *point)
    worst: Disagreement | None = None
    for argument, gradient in enumerate(pull(weights)):
        difference = central_differences(total, point, argument, step)
        error = np.abs(gradient - difference) / np.maximum(1, np.maximum(np.abs(gradient), np.abs(difference)))
        error = np.where(np.isnan(error), np.inf, error)
        if error.size:
            at = tuple(int(i) for i in np.unravel_index(int(error.argmax()), error.shape))
            if worst is None or error[at] > worst.error:
                worst = Disagreement(argument, at, float(gradient[at]), float(difference[at]), float(error[at]))
    return worst
