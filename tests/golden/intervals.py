"""Intervals and tests by SciPy and statsmodels, for tests/inspection.

Made with SciPy 1.17 and statsmodels 0.15; run it where they are installed, with nettrain on the
path: `python tests/golden/intervals.py`. The tests read the file only.
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from nettrain import streams

SHARES = [(0, 1), (1, 1), (0, 7), (7, 7), (3, 7), (180, 200), (9999, 10000), (1, 100000)]
DISAGREEMENTS = [(0, 0), (0, 1), (1, 0), (5, 5), (3, 12), (40, 60), (7, 400), (900, 1000)]
P_VALUES = [[0.01], [0.04, 0.01, 0.03], [0.5, 0.9, 0.001, 0.2], [0.02, 0.02, 0.02], [1.0, 0.6]]
DIFFERENCES = {
    "five folds": [0.01, 0.03, -0.01, 0.02, 0.02],
    "two folds": [0.1, 0.2],
    "ten repeats of ten": np.random.Generator(np.random.PCG64(0)).normal(0.01, 0.02, 100).tolist(),
    "no difference": [0.1, -0.1, 0.05, -0.05],
}


def bootstrap(statistic, arrays, resamples=1000):
    found = stats.bootstrap(
        arrays,
        statistic,
        n_resamples=resamples,
        method="percentile",
        paired=True,
        vectorized=False,
        rng=streams.generator(0, "bootstrap"),
    )
    return list(found.confidence_interval)


def macro_recall(targets, predicted):
    present = [c for c in range(3) if (targets == c).any()]
    return float(np.mean([(predicted[targets == c] == c).mean() for c in present]))


def main():
    random = np.random.Generator(np.random.PCG64(0))
    values, others = random.normal(1, 2, 50), random.normal(1.5, 1, 50)
    targets, predicted = random.integers(0, 3, 40), random.integers(0, 3, 40)
    golden = {
        "wilson": [
            {
                "hits": hits,
                "rows": rows,
                "confidence": confidence,
                "interval": list(
                    proportion_confint(hits, rows, alpha=1 - confidence, method="wilson")
                ),
            }
            for hits, rows in SHARES
            for confidence in (0.95, 0.8)
        ],
        "mcnemar": [
            {
                "only_first": b,
                "only_second": c,
                "p": float(mcnemar([[0, b], [c, 0]], exact=True).pvalue) if b + c else 1.0,
            }
            for b, c in DISAGREEMENTS
        ],
        "clopper_pearson": [
            {
                "hits": hits,
                "trials": trials,
                "interval": list(proportion_confint(hits, trials, method="beta")),
            }
            for hits, trials in SHARES
        ],
        "holm": [
            {"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()} for p in P_VALUES
        ],
        "corrected_t": [],
        "bootstrap": {
            "values": values.tolist(),
            "others": others.tolist(),
            "targets": targets.tolist(),
            "predicted": predicted.tolist(),
            "mean": bootstrap(np.mean, (values,)),
            "difference": bootstrap(lambda a, b: a.mean() - b.mean(), (values, others)),
            "balanced_accuracy": bootstrap(macro_recall, (targets, predicted)),
        },
    }
    for name, differences in DIFFERENCES.items():
        for share in (1 / 4, 1 / 9):
            d = np.array(differences)
            error = np.sqrt((1 / len(d) + share) * d.var(ddof=1))
            t = stats.t(len(d) - 1)
            golden["corrected_t"].append(
                {
                    "name": name,
                    "differences": differences,
                    "test_share": share,
                    "p": float(2 * t.sf(abs(d.mean()) / error)),
                    "interval": [
                        float(d.mean() - t.ppf(0.975) * error),
                        float(d.mean() + t.ppf(0.975) * error),
                    ],
                }
            )
    Path(__file__).with_suffix(".json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
