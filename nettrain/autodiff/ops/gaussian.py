"""The error function, and gelu, which is made of the normal distribution."""

import math
from typing import Any

import numpy as np

from nettrain.autodiff.primitive import Array, ElementWise, Scratch, Shape, Slots

BLOCK = 16384  # elements: few calls, and the working arrays fit a core's second-level cache

# Cody 1969, "Rational Chebyshev approximations for the error function", to 18 digits.
# Numerator and denominator, highest power first.
SMALL = 0.46875  # erf(y) = y R(y^2) up to here
SMALL_R = (
    (
        1.85777706184603153e-1,
        3.16112374387056560e0,
        1.13864154151050156e2,
        3.77485237685302021e2,
        3.20937758913846947e3,
    ),
    (
        1.0,
        2.36012909523441209e1,
        2.44024637934444173e2,
        1.28261652607737228e3,
        2.84423683343917062e3,
    ),
)
# erfc(y) = e^(-y^2) R(y) up to LARGE, beyond it e^(-y^2) / y (1 / sqrt pi + R(1 / y^2) / y^2)
LARGE = 4.0
MIDDLE_R = (
    (
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0,
        6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2,
        1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
    ),
    (
        1.0, 1.57449261107098347e1, 1.17693950891312499e2,
        5.37181101862009858e2, 1.62138957456669019e3, 3.29079923573345963e3,
        4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
    ),
)  # fmt: skip
LARGE_R = (
    (
        -1.63153871373020978e-2, -3.05326634961232344e-1, -3.60344899949804439e-1,
        -1.25781726111229246e-1, -1.60837851487422766e-2, -6.58749161529837803e-4,
    ),
    (
        1.0, 2.56852019228982242e0, 1.87295284992346047e0,
        5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3,
    ),
)  # fmt: skip
LARGEST = 30.0  # erfc underflows to 0 at 26.6 in float64; larger squares would only overflow


def _ratio(
    coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Array, out: Array, divisor: Array
) -> None:
    """out = numerator(x) / denominator(x), by Horner's rule."""
    for powers, value in zip(coefficients, (out, divisor), strict=True):
        np.multiply(x, powers[0], out=value)
        for c in powers[1:-1]:
            value += c
            value *= x
        value += powers[-1]
    out /= divisor


def _small(y: Array, r: Array, work: list[Array]) -> None:
    """r = erf(y) = y R(y^2)."""
    square, divisor = work
    _ratio(SMALL_R, np.multiply(y, y, out=square), r, divisor)
    r *= y


def _middle(y: Array, r: Array, work: list[Array]) -> None:
    """r = erfc(y) = e^(-y^2) R(y)."""
    power, divisor = work
    _ratio(MIDDLE_R, y, r, divisor)
    r *= _falling(y, power)


def _large(y: Array, r: Array, work: list[Array]) -> None:
    """r = erfc(y) = e^(-y^2) / y (1 / sqrt pi + R(1 / y^2) / y^2)."""
    square, divisor = work
    np.reciprocal(np.multiply(y, y, out=square), out=square)
    _ratio(LARGE_R, square, r, divisor)
    r *= square
    r += 1 / math.sqrt(math.pi)
    r /= y
    r *= _falling(y, square)


def _falling(y: Array, out: Array) -> Array:
    """out = e^(-y^2)."""
    np.multiply(y, y, out=out)
    np.negative(out, out=out)
    return np.exp(out, out=out)


def _choose(value: Array, mask: Array, out: Array) -> None:
    """out = value where the mask holds.

    By products with the mask: a copy by mask takes 5 times as long.
    """
    value *= mask
    out *= np.logical_not(mask, out=mask)
    out += value


def error_function(y: Array, out: Array, work: Array, chosen: Array, *, complement: bool) -> None:
    """out = erf(y), or erfc(y) = 1 - erf(y), to full relative accuracy, for y >= 0.

    y and out are contiguous. Every formula is evaluated everywhere before one is chosen: sorting
    the elements takes longer. Below its range the middle one has an error of 5e-12 in erfc, enough
    for float32.
    """
    flat, result = y.reshape(-1), out.reshape(-1)
    for start in range(0, flat.size, BLOCK):
        r = result[start : start + BLOCK]
        mask, (y, value, *rest) = chosen[: r.size], work[:, : r.size]
        np.minimum(flat[start : start + BLOCK], LARGEST, out=y)
        _middle(y, r, rest)
        if not complement:
            np.subtract(1, r, out=r)
        if not complement or r.dtype.itemsize > 4:
            _small(y, value, rest)
            if complement:
                np.subtract(1, value, out=value)
            _choose(value, np.less_equal(y, SMALL, out=mask), r)
        if np.greater(y, LARGE, out=mask).any():
            _large(np.maximum(y, LARGE, out=y), value, rest)
            if not complement:
                np.subtract(1, value, out=value)
            _choose(value, mask, r)


def _scratch(shape: Shape) -> Scratch:
    """The working arrays of `error_function`."""
    block = min(BLOCK, math.prod(shape))
    return {"size": (shape, None), "work": ((4, block), None), "chosen": ((block,), np.bool_)}


class Erf(ElementWise):
    """y = 2 / sqrt pi  integral from 0 to x of e^(-t^2) dt;  dx = dy 2 / sqrt pi e^(-x^2)."""

    reads = (0,)

    def scratch(self, *shapes: Shape) -> Scratch:
        """size: |x| and then erf |x|; work, chosen: of a block."""
        return _scratch(shapes[0])

    def forward(self, out: Array, x: Array, *, size: Array, work: Array, chosen: Array) -> None:
        np.abs(x, out=size)
        error_function(size, size, work, chosen, complement=False)
        np.copysign(size, x, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array, **scratch: Any) -> None:
        dx = grads[0]
        _falling(x, dx)
        dx *= 2 / math.sqrt(math.pi)
        dx *= dy


class Gelu(ElementWise):
    """y = x P(x), P(x) = (1 + erf(x / sqrt 2)) / 2.

    dx = dy (P(x) + x e^(-x^2 / 2) / sqrt(2 pi)).
    """

    reads = (0, "cumulative")

    def scratch(self, *shapes: Shape) -> Scratch:
        """cumulative: P(x); negative: where x < 0; size: |x| / sqrt 2; work, chosen: of a block."""
        return {
            "cumulative": (shapes[0], None),
            "negative": (shapes[0], np.bool_),
            **_scratch(shapes[0]),
        }

    def forward(
        self,
        out: Array,
        x: Array,
        *,
        cumulative: Array,
        negative: Array,
        size: Array,
        work: Array,
        chosen: Array,
    ) -> None:
        np.abs(x, out=size)
        size *= math.sqrt(0.5)
        error_function(size, cumulative, work, chosen, complement=True)
        cumulative *= 0.5  # P(-|x|), exact in its tail; P(x) = 1 - P(-x)
        np.copysign(cumulative, x, out=cumulative)
        np.subtract(
            np.logical_not(np.signbit(x, out=negative), out=negative), cumulative, out=cumulative
        )
        np.multiply(x, cumulative, out=out)

    def backward(
        self, grads: Slots, dy: Array, out: Array, x: Array, *, cumulative: Array, **scratch: Any
    ) -> None:
        dx = grads[0]
        np.multiply(x, x, out=dx)
        dx *= -0.5
        np.exp(dx, out=dx)
        dx *= 1 / math.sqrt(2 * math.pi)
        dx *= x
        dx += cumulative
        dx *= dy
