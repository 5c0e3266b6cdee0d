"""Tests and intervals, by the distributions of SciPy."""

import math
from typing import Any

import numpy as np
from against.comparison import Comparison
from against.predictions.draws import numbers
from scipy import special, stats

from nettrain.inspection.statistics.bootstrap import percentile_interval
from nettrain.inspection.statistics.chi_squared import chi_squared
from nettrain.inspection.statistics.corrected_t import corrected_t_test, estimate, t_quantile
from nettrain.inspection.statistics.kolmogorov_smirnov import kolmogorov, kolmogorov_smirnov
from nettrain.inspection.statistics.mcnemar import clopper_pearson, mcnemar_exact
from nettrain.inspection.statistics.wilson import wilson_interval

EXACT = 1e-12
TESTS = 1e-9  # SciPy's own distributions


def shares(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """Binomial tests and intervals."""
    n = case["rows"]
    hits, level = int(random.integers(n + 1)), case["level"]
    test = stats.binomtest(hits, n, 0.5)
    comparison.close("mcnemar", mcnemar_exact(hits, n - hits), test.pvalue, TESTS, 1.0)
    for name, ours in (("wilson", wilson_interval), ("exact", clopper_pearson)):
        theirs = test.proportion_ci(level, method=name)
        comparison.close(f"interval: {name}", ours(hits, n, level), tuple(theirs), TESTS, 1.0)


def tables(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    counts = random.integers(
        0, 1 + case["rows"], size=(case["columns"], int(random.integers(1, 5)))
    )
    counts = counts[counts.any(axis=1)][:, counts[counts.any(axis=1)].any(axis=0)]
    if not counts.size:
        return
    ours = chi_squared(counts)
    theirs = stats.chi2_contingency(counts, correction=False)
    largest = max(1.0, theirs.statistic)
    comparison.close("chi squared", ours[0], theirs.statistic, EXACT, largest)
    comparison.close("chi squared: p", ours[1], theirs.pvalue, TESTS, 1.0)
    comparison.close("chi squared: small p", ours[1], theirs.pvalue, 1e-6)


def distributions(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:  # fmt: skip
    a, b = numbers(case, random), numbers(case, random)[: 1 + case["rows"] // 2] + case["level"]
    distance, p = kolmogorov_smirnov(a, b)
    comparison.close("kolmogorov-smirnov", distance, stats.ks_2samp(a, b).statistic, EXACT, 1.0)
    root = math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    comparison.close("kolmogorov-smirnov: p", p, special.kolmogorov(root * distance), TESTS)
    x = random.uniform(0.01, 4)
    comparison.close("kolmogorov", kolmogorov(x), special.kolmogorov(x), TESTS)


def folds(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """Corrected resampled t-test, by Student's distribution of SciPy."""
    values, share, level = numbers(case, random), random.uniform(0.05, 1), max(case["level"], 0.5)
    j, degrees = len(values), len(values) - 1
    q = (1 + level) / 2
    comparison.close("t quantile", t_quantile(q, degrees), stats.t.ppf(q, degrees), TESTS)
    if np.ptp(values) == 0:
        return
    error = values.std(ddof=1) * math.sqrt(1 / j + share)
    half = stats.t.ppf(q, degrees) * error
    found = estimate(values.tolist(), share, level)
    scale = float(np.abs(values).max()) + half
    comparison.close("folds: interval", found.interval, (values.mean() - half, values.mean() + half), TESTS, scale)  # fmt: skip
    p = 2 * stats.t.sf(abs(values.mean()) / error, degrees)
    comparison.close("folds: p", corrected_t_test(values.tolist(), share), p, TESTS, 1.0)


def bootstrap(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    values = numbers(case, random)
    found = percentile_interval(values, case["level"])
    if np.ptp(values) == 0:
        comparison.equal("bootstrap", None, found)
        return
    ends = np.quantile(values, [(1 - case["level"]) / 2, (1 + case["level"]) / 2])
    comparison.close("bootstrap", found, ends, EXACT, float(np.abs(values).max()))
