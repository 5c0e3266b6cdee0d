"""The error function and its complement: as exact as floats allow on both sides of the bounds between formulas, in blocks of any size."""

import math

import numpy as np
import pytest

from nettrain.autodiff.ops import gaussian
from nettrain.autodiff.ops.gaussian import Erf, Gelu, error_function

BOUNDS = [np.nextafter(bound, to) for bound in (0.46875, 4.0) for to in (0, bound, 9)]
Y = np.array(
    [0, 1e-30, 1e-9, 1e-3, 0.1, 0.4, *BOUNDS, 0.5, 1, 2, 3.9, 4.1, 4.7, 4.9, 6, 9, 26, 1e30]
)


@pytest.mark.parametrize("block", [1, 2, 5, gaussian.BLOCK])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("complement", [False, True])
def test_its_error_is_that_of_the_square_in_its_exponent(complement, dtype, block, monkeypatch):
    monkeypatch.setattr(gaussian, "BLOCK", block)
    y = Y.astype(dtype)
    found, work, chosen = y.copy(), np.full((4, y.size), np.nan, dtype), np.ones(y.size, bool)
    error_function(found, found, work, chosen, complement=complement)
    for one, value in zip(y.tolist(), found.tolist(), strict=True):
        expected = math.erfc(one) if complement else math.erf(one)
        error = float(np.finfo(dtype).eps) * (one * one + 4) * expected
        assert abs(value - expected) <= max(error, float(np.finfo(dtype).tiny)), one


@pytest.mark.parametrize("primitive", [Erf(), Gelu()], ids=["erf", "gelu"])
@pytest.mark.parametrize(
    ("shape", "size"), [((3, 2), 6), ((1000, 1000), gaussian.BLOCK), ((0,), 0)]
)
def test_it_works_on_a_block_at_most(primitive, shape, size):
    scratch = primitive.scratch(shape)
    assert scratch["work"][0] == (4, size) and scratch["chosen"] == ((size,), np.bool_)


@pytest.mark.parametrize(("dtype", "evaluated"), [(np.float32, 0), (np.float64, 1)])
def test_gelu_of_float32_is_spared_the_formula_near_zero(dtype, evaluated, monkeypatch):
    seen, formula = [], gaussian._small
    monkeypatch.setattr(gaussian, "_small", lambda *args: seen.append(1) or formula(*args))
    x = np.linspace(-3, 3, 7).astype(dtype)
    kept = Gelu().scratch(x.shape).items()
    scratch = {name: np.empty(shape, kind or dtype) for name, (shape, kind) in kept}
    Gelu().forward(np.empty_like(x), x, **scratch)
    assert len(seen) == evaluated
