"""The quantile transform in ONNX: a binary search of all columns at once, then straight lines."""

import math
from typing import Any

import numpy as np

from nettrain.export.onnx.builder import Builder

RIM = 1e-7  # as in the transform: the normal distribution ends here and at 1 - this

# Wichura 1988, algorithm AS 241 (PPND16): coefficients from the constant on, of the numerator and
# of the denominator, in the middle, in the tails, and far in the tails.
_MIDDLE = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
     1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
     3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
     5.2264952788528545610e3),
)  # fmt: skip
_TAIL = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
     3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
     2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9),
)  # fmt: skip


def quantile(g: Builder, x: str, quantiles: np.ndarray, to: str) -> str:
    """F(x), or Phi^-1(F(x)); see `nettrain.transforms.quantile`."""
    shape = quantiles.shape[1:]
    learned = quantiles.reshape(len(quantiles), -1).astype(g.dtype)
    if len(shape) > 1:
        x = g.reshape(x, [-1, math.prod(shape)])
    fraction = _fraction(g, x, learned)
    y = fraction if to == "uniform" else _normal(g, fraction)
    gap = g.add("Or", g.add("IsNaN", x), g.constant(np.isnan(learned[0])[np.newaxis]))
    y = g.add("Where", gap, g.scalar(np.nan), g.cast(y, g.dtype))
    return g.reshape(y, [-1, *shape]) if len(shape) > 1 else y


def inverse_quantile(g: Builder, y: str, quantiles: np.ndarray, to: str) -> str:
    """The numbers of which `quantile` makes y (n, d)."""
    last = len(quantiles) - 1
    if to == "normal":
        erf = g.add("Erf", g.add("Mul", y, g.scalar(math.sqrt(0.5))))
        y = g.add("Mul", g.add("Add", erf, g.scalar(1.0)), g.scalar(0.5))
    position = _times(g, g.cast(y, np.float64), float(last))
    position = g.add("Clip", position, _double(g, 0.0), _double(g, float(last)))
    lower = g.add("Min", g.add("Floor", position), _double(g, float(max(last - 1, 0))))
    table = _Table(g, quantiles)
    index = g.cast(lower, np.int64)
    start, end = table.at(index), table.at(g.add("Add", index, g.constant(np.array(1))))
    part = g.add("Mul", g.add("Sub", position, lower), g.add("Sub", end, start))
    return g.cast(g.add("Add", start, part), g.dtype)


class _Table:
    """The quantiles (q, d) of the columns, looked up by indices (n, d)."""

    def __init__(self, g: Builder, quantiles: np.ndarray, dtype: Any = np.float64) -> None:
        q, d = quantiles.shape
        self._g, self._flat = g, g.constant(np.nan_to_num(quantiles).T.ravel(), dtype=dtype)
        self._offset = g.constant((np.arange(d) * q).astype(np.int64)[np.newaxis])

    def at(self, index: str) -> str:
        """The quantiles at the indices."""
        return self._g.add("Gather", self._flat, self._g.add("Add", index, self._offset), axis=0)


def _fraction(g: Builder, x: str, quantiles: np.ndarray) -> str:
    """Linear between quantiles; the middle of the ranks where several are x. In float64."""
    last = len(quantiles) - 1
    table = _Table(g, quantiles, g.dtype)
    first, after = (_search(g, table, x, len(quantiles), right=right) for right in (False, True))
    one, largest = g.constant(np.array(1)), g.constant(np.array(last))
    lower = table.at(g.add("Max", g.add("Sub", first, one), g.constant(np.array(0))))
    upper = table.at(g.add("Min", first, largest))
    width = g.add("Sub", g.cast(upper, np.float64), g.cast(lower, np.float64))
    inside = g.add("And", g.add("Equal", first, after), g.add("Greater", width, _double(g, 0.0)))
    part = g.add(
        "Div",
        g.add("Sub", g.cast(x, np.float64), g.cast(lower, np.float64)),
        g.add("Where", inside, width, _double(g, 1.0)),
    )
    between = g.add("Add", g.cast(g.add("Sub", first, one), np.float64), part)
    both = g.cast(g.add("Sub", g.add("Add", first, after), one), np.float64)
    middle = g.add("Clip", _times(g, both, 0.5), _double(g, 0.0), _double(g, float(last)))
    return _times(g, g.add("Where", inside, between, middle), 1 / last)


def _search(g: Builder, table: _Table, x: str, q: int, *, right: bool) -> str:
    """How many quantiles are below x (or, with `right`, at most x): as np.searchsorted."""
    zero = g.constant(np.array(0))
    position = g.add("Mul", g.cast(g.add("IsNaN", x), np.int64), zero)  # 0, of the shape of x
    step = 1 << (q.bit_length() - 1)
    while step:
        ahead = g.add("Add", position, g.constant(np.array(step)))
        index = g.add("Sub", ahead, g.constant(np.array(1)))
        there = table.at(g.add("Min", index, g.constant(np.array(q - 1))))
        passed = g.add("LessOrEqual", there, x) if right else g.add("Less", there, x)
        fits = g.add("LessOrEqual", ahead, g.constant(np.array(q)))
        position = g.add("Where", g.add("And", passed, fits), ahead, position)
        step //= 2
    return position


def _normal(g: Builder, fraction: str) -> str:
    """Phi^-1 of a fraction, by Wichura's rational functions; its end, 1e-7, is within r = 5."""
    p = g.add("Clip", fraction, _double(g, RIM), _double(g, 1 - RIM))
    centred = g.add("Sub", p, _double(g, 0.5))
    square = g.add("Mul", centred, centred)
    middle = g.add(
        "Mul", centred, _rational(g, _MIDDLE, g.add("Sub", _double(g, 0.180625), square))
    )
    smaller = g.add("Min", p, g.add("Sub", _double(g, 1.0), p))
    root = g.add("Sqrt", g.add("Neg", g.add("Log", smaller)))
    tail = _rational(g, _TAIL, g.add("Sub", root, _double(g, 1.6)))
    tail = g.add("Mul", tail, g.add("Sign", centred))
    inner = g.add("LessOrEqual", g.add("Abs", centred), _double(g, 0.425))
    return g.add("Where", inner, middle, tail)


def _rational(g: Builder, coefficients: tuple[tuple[float, ...], ...], x: str) -> str:
    numerator, denominator = (_polynomial(g, row, x) for row in coefficients)
    return g.add("Div", numerator, denominator)


def _polynomial(g: Builder, coefficients: tuple[float, ...], x: str) -> str:
    """Horner's scheme."""
    value = _double(g, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = g.add("Add", g.add("Mul", value, x), _double(g, coefficient))
    return value


def _double(g: Builder, value: float) -> str:
    return g.constant(np.array(value), dtype=np.float64)


def _times(g: Builder, x: str, factor: float) -> str:
    return g.add("Mul", x, _double(g, factor))
