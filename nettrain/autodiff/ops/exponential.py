"""Exponential, logarithm, square root."""

import math
from typing import Any

import numpy as np

from nettrain.autodiff.primitive import Array, ElementWise, Slots
from nettrain.jit import jit, overloaded


class Exp(ElementWise):
    """y = e^x;  dx = dy y."""

    reads = ("out",)

    def forward(self, out: Array, x: Array) -> None:
        np.exp(x, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        np.multiply(dy, out, out=grads[0])


class Log(ElementWise):
    """y = ln x;  dx = dy / x."""

    reads = (0,)

    def forward(self, out: Array, x: Array) -> None:
        np.log(x, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        np.divide(dy, x, out=grads[0])


class Sqrt(ElementWise):
    """y = sqrt x;  dx = dy / (2 y)."""

    reads = ("out",)

    def forward(self, out: Array, x: Array) -> None:
        np.sqrt(x, out=out)

    def backward(self, grads: Slots, dy: Array, out: Array, x: Array) -> None:
        dx = grads[0]
        np.divide(dy, out, out=dx)
        dx *= 0.5


_F = np.float32
_LOG2_E = math.log2(math.e)
# ln 2 in two parts; products of the first, which has few digits, with integers are exact
_LN2 = 0.693359375, -2.121944400546905827679e-4
_LONG_LN2 = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_SINGLE = (
    _F(1.9875691500e-4),
    _F(1.3981999507e-3),
    _F(8.3334519073e-3),
    _F(4.1665795894e-2),
    _F(1.6666665459e-1),
    _F(5.0000001201e-1),
)

_DOUBLE = tuple(1 / math.factorial(n) for n in range(13, 1, -1))


@jit
def _single_parts(x: Any) -> Any:
    """q, f and g with e^x = (1 + q) f g, |q| < 1/2; f g is 2^n."""
    inside = min(x, _F(89)) if x > _F(-104) else _F(-104)  # NaN too, which has no whole part
    n = np.floor(inside * _F(_LOG2_E) + _F(0.5))
    r = (inside - n * _F(_LN2[0])) - n * _F(_LN2[1])
    p = _SINGLE[0] * r + _SINGLE[1]
    p = p * r + _SINGLE[2]
    p = p * r + _SINGLE[3]
    p = p * r + _SINGLE[4]
    p = p * r + _SINGLE[5]
    whole = np.int32(n)
    half = whole >> np.int32(1)
    first = np.int32((half + np.int32(127)) << np.int32(23)).view(_F)
    second = np.int32((whole - half + np.int32(127)) << np.int32(23)).view(_F)
    return p * r * r + r, first, second


@jit
def _double_parts(x: Any) -> Any:
    """The same in float64."""
    inside = min(x, 710.0) if x > -746.0 else -746.0
    n = np.floor(inside * _LOG2_E + 0.5)
    r = (inside - n * _LONG_LN2[0]) - n * _LONG_LN2[1]
    p = _DOUBLE[0] * r + _DOUBLE[1]
    p = p * r + _DOUBLE[2]
    p = p * r + _DOUBLE[3]
    p = p * r + _DOUBLE[4]
    p = p * r + _DOUBLE[5]
    p = p * r + _DOUBLE[6]
    p = p * r + _DOUBLE[7]
    p = p * r + _DOUBLE[8]
    p = p * r + _DOUBLE[9]
    p = p * r + _DOUBLE[10]
    p = p * r + _DOUBLE[11]
    whole = np.int64(n)
    half = whole >> 1
    first = np.int64((half + 1023) << 52).view(np.float64)
    second = np.int64((whole - half + 1023) << 52).view(np.float64)
    return p * r * r + r, first, second


def _single(x: Any) -> Any:
    q, first, second = _single_parts(x)
    return (q + _F(1)) * first * second if x == x else x


def _double(x: Any) -> Any:
    q, first, second = _double_parts(x)
    return (q + 1) * first * second if x == x else x


@overloaded(_single, _double)
def exp(x: Any) -> Any:
    """e^x in a compiled loop, within one unit in the last place.

    x = n ln 2 + r, |r| <= ln 2 / 2;  e^x = 2^n e^r.  e^r is the polynomial of Cephes's expf
    (Moshier 1989), in float64 Taylor's of degree 13. 2^n is multiplied in two factors, so that
    neither is inf or 0 before the result is. The order of operations matters. The C library's exp
    has no vector instructions and takes five times as long.
    """
    return math.exp(x)


def _single_less_one(x: Any) -> Any:
    q, first, second = _single_parts(x)
    return q * first * second + (first * second - _F(1)) if x == x else x


def _double_less_one(x: Any) -> Any:
    q, first, second = _double_parts(x)
    return q * first * second + (first * second - 1) if x == x else x


@overloaded(_single_less_one, _double_less_one)
def expm1(x: Any) -> Any:
    """e^x - 1 in a compiled loop, for x <= 0; near 0 as exact as elsewhere."""
    return math.expm1(x)
