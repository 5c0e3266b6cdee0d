"""Two-sample tests against SciPy's numbers in tests/golden/two_sample_tests.json."""

import json
from pathlib import Path

import numpy as np
import pytest

from nettrain.inspection.statistics.chi_squared import chi_squared, upper_gamma
from nettrain.inspection.statistics.kolmogorov_smirnov import kolmogorov, kolmogorov_smirnov

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "two_sample_tests.json").read_text())


def exactly(expected):
    return pytest.approx(expected, rel=1e-10, abs=1e-250)


@pytest.mark.parametrize(("x", "expected"), GOLDEN["kolmogorov"])
def test_kolmogorov_s_survival_function_is_scipy_s(x, expected):
    assert kolmogorov(x) == exactly(expected)


@pytest.mark.parametrize(("a", "x", "expected"), GOLDEN["upper_gamma"])
def test_the_upper_incomplete_gamma_function_is_scipy_s(a, x, expected):
    assert upper_gamma(a, x) == exactly(expected)


def test_survival_functions_begin_at_one():
    assert kolmogorov(0) == upper_gamma(2.5, 0) == 1


@pytest.mark.parametrize(
    "case", GOLDEN["kolmogorov_smirnov"].values(), ids=GOLDEN["kolmogorov_smirnov"]
)
def test_kolmogorov_smirnov_is_scipy_s(case):
    statistic, p_value = kolmogorov_smirnov(np.array(case["a"]), np.array(case["b"]))
    assert statistic == exactly(case["statistic"])
    assert p_value == exactly(case["p_value"])


@pytest.mark.parametrize("case", GOLDEN["chi_squared"])
def test_chi_squared_is_scipy_s(case):
    statistic, p_value = chi_squared(np.array(case["table"]))
    assert statistic == exactly(case["statistic"])
    assert p_value == exactly(case["p_value"])


def test_a_table_of_one_row_differs_from_nothing():
    assert chi_squared(np.array([[3, 4]])) == (0.0, 1.0)
