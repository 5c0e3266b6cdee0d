"""Intervals and tests against SciPy's and statsmodels' numbers in tests/golden/intervals.json."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from nettrain.inspection.statistics.bootstrap import (
    difference_p_value,
    percentile_interval,
    samples,
)
from nettrain.inspection.statistics.corrected_t import corrected_t_test, estimate
from nettrain.inspection.statistics.holm import holm
from nettrain.inspection.statistics.mcnemar import (
    clopper_pearson,
    mcnemar_exact,
    mcnemar_interval,
)
from nettrain.inspection.statistics.wilson import wilson_interval
from nettrain.metrics import ClassOutcome
from nettrain.metrics.balanced_accuracy import BalancedAccuracy

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "intervals.json").read_text())
BOOTSTRAP = GOLDEN["bootstrap"]


def exactly(expected):
    return pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "case", GOLDEN["wilson"], ids=lambda case: f"{case['hits']}, {case['rows']}"
)
def test_wilson_s_interval_is_statsmodels(case):
    interval = wilson_interval(case["hits"], case["rows"], case["confidence"])
    assert interval == exactly(case["interval"])


@pytest.mark.parametrize(("hits", "rows"), [(0, 0), (-1, 3), (4, 3)])
def test_what_is_no_share_has_no_interval(hits, rows):
    with pytest.raises(ValueError, match="are no share"):
        wilson_interval(hits, rows)


@pytest.mark.parametrize("rows", [1, 2, 10, 1000])
def test_wilson_s_interval_stays_within_0_and_1_and_holds_the_share(rows):
    for hits in range(rows + 1):
        low, high = wilson_interval(hits, rows)
        assert 0 <= low <= hits / rows <= high <= 1 and low < high


@pytest.mark.parametrize("case", GOLDEN["mcnemar"], ids=str)
def test_mcnemar_s_test_is_statsmodels(case):
    assert mcnemar_exact(case["only_first"], case["only_second"]) == exactly(case["p"])


@pytest.mark.parametrize("case", GOLDEN["clopper_pearson"], ids=str)
def test_clopper_and_pearson_s_interval_is_statsmodels(case):
    assert clopper_pearson(case["hits"], case["trials"]) == exactly(case["interval"])


def test_the_interval_of_a_difference_leaves_0_out_where_mcnemar_s_test_rejects():
    for b, c in itertools.product(range(12), range(12)):
        if b + c == 0:
            assert mcnemar_interval(b, c, 40) is None
            continue
        low, high = mcnemar_interval(b, c, 40)
        assert low <= (c - b) / 40 <= high and -(b + c) / 40 <= low < high <= (b + c) / 40
        assert (low > 0 or high < 0) == (mcnemar_exact(b, c) < 0.05)


@pytest.mark.parametrize("case", GOLDEN["holm"], ids=str)
def test_holm_s_correction_is_statsmodels(case):
    assert holm(case["p"]) == exactly(case["adjusted"])


@pytest.mark.parametrize("case", GOLDEN["corrected_t"], ids=lambda case: case["name"])
def test_the_corrected_t_test_and_its_interval_are_scipy_s(case):
    differences, share = case["differences"], case["test_share"]
    assert corrected_t_test(differences, share) == pytest.approx(case["p"], rel=1e-9, abs=1e-9)
    assert estimate(differences, share).interval == exactly(case["interval"])


@pytest.mark.parametrize(("differences", "p"), [([0.1, 0.1], 0.0), ([0.0, 0.0], 1.0)])
def test_folds_that_agree_entirely_are_certain(differences, p):
    assert corrected_t_test(differences, 1 / 4) == p


def resampled(statistic, rows):
    return np.concatenate([statistic(block) for block in samples(rows)])


def test_the_bootstrap_of_a_mean_is_scipy_s():
    values = np.array(BOOTSTRAP["values"])
    means = resampled(lambda block: values @ block / 50, 50)
    assert percentile_interval(means) == exactly(BOOTSTRAP["mean"])


def test_the_paired_bootstrap_of_a_difference_is_scipy_s():
    values, others = np.array(BOOTSTRAP["values"]), np.array(BOOTSTRAP["others"])
    first = resampled(lambda block: values @ block / 50, 50)
    second = resampled(lambda block: others @ block / 50, 50)
    assert percentile_interval(first - second) == exactly(BOOTSTRAP["difference"])


def test_the_bootstrap_of_a_metric_of_classes_is_scipy_s():
    predicted = np.eye(3)[BOOTSTRAP["predicted"]]
    outcome = ClassOutcome(np.array(BOOTSTRAP["targets"]), predicted)
    values = resampled(lambda block: BalancedAccuracy().resampled(outcome, block), 40)
    assert percentile_interval(values) == exactly(BOOTSTRAP["balanced_accuracy"])


def test_samples_come_in_blocks_of_whole_samples():
    blocks = list(samples(2**16, 5))
    assert [block.shape for block in blocks] == [(2**16, 2), (2**16, 2), (2**16, 1)]
    assert all((block.sum(axis=0) == 2**16).all() for block in blocks)


@pytest.mark.parametrize("values", [[1.0, 1.0, 1.0], [np.nan, np.nan], [np.nan, 0.5]])
def test_samples_that_are_all_alike_give_no_interval(values):
    assert percentile_interval(np.array(values)) is None


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        (np.full(999, 0.1), 2 / 1000),
        (np.full(999, -0.1), 2 / 1000),
        (np.zeros(999), 1.0),
        (np.r_[np.full(50, -0.1), np.full(949, 0.1)], 2 * 51 / 1000),
        (np.r_[np.nan, np.full(99, 0.1)], 2 / 100),
        (np.array([np.nan]), None),
    ],
)
def test_the_p_value_counts_the_samples_on_the_other_side_of_0(differences, p):
    assert difference_p_value(differences) == (None if p is None else pytest.approx(p))
