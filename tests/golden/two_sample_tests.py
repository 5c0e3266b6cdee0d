"""Two-sample tests by SciPy, for tests/inspection/test_two_sample_tests.py.

Made with SciPy 1.17; run it where it is installed: `python tests/golden/two_sample_tests.py`. The
tests read the file only.
"""

import json
from pathlib import Path

import numpy as np
from scipy import special, stats

LAMBDAS = [0.05, 0.2, 0.5, 0.828, 0.999, 1.0, 1.001, 1.3581, 2.0, 3.5, 8.0]
GAMMAS = [
    (a, x) for a in (0.5, 1.0, 4.5, 30.0, 400.0) for x in (0.01, 0.5, 4.5, 31.0, 420.0, 900.0)
]
TABLES = [
    [[10, 20, 30], [12, 25, 20]],
    [[100, 3], [80, 30]],
    [[5, 9, 30, 41, 2], [50, 88, 310, 400, 33]],
    [[1, 1], [1, 1]],
]


def samples():
    chance = np.random.Generator(np.random.PCG64(0))
    return {
        "alike": (chance.normal(size=80), chance.normal(size=120)),
        "shifted": (chance.normal(size=80), chance.normal(0.5, size=50)),
        "wider": (chance.normal(size=300), chance.normal(0, 3, size=40)),
        "few values": (chance.integers(0, 4, 90), chance.integers(0, 5, 60)),
        "apart": (chance.normal(size=20), chance.normal(100, size=30)),
    }


def smirnov(a, b):
    statistic = stats.ks_2samp(a, b).statistic
    scaled = np.sqrt(len(a) * len(b) / (len(a) + len(b))) * statistic
    return {
        "a": a.tolist(),
        "b": b.tolist(),
        "statistic": statistic,
        "p_value": special.kolmogorov(scaled),
    }


def squared(table):
    found = stats.chi2_contingency(table, correction=False)
    return {"table": table, "statistic": found.statistic, "p_value": found.pvalue}


def main():
    golden = {
        "kolmogorov": [[x, special.kolmogorov(x)] for x in LAMBDAS],
        "upper_gamma": [[a, x, special.gammaincc(a, x)] for a, x in GAMMAS],
        "kolmogorov_smirnov": {name: smirnov(a, b) for name, (a, b) in samples().items()},
        "chi_squared": [squared(table) for table in TABLES],
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
