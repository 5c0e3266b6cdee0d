"""Sizes and class counts of folds by scikit-learn, and quantiles of Student's t by SciPy, for tests/search.

Made with scikit-learn 1.9 and SciPy; run it where they are installed: `python tests/golden/folds.py`. The tests read the file only.
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.model_selection import GroupKFold, KFold, RepeatedKFold, StratifiedKFold

CODES = {
    "even": [0, 1, 2] * 10,
    "one after the other": [0] * 13 + [1] * 8 + [2] * 22,
    "the last class first": [2] * 7 + [0] * 6 + [1] * 11 + [0] * 3,
    "rare": [0] * 90 + [1] * 5 + [0] * 7 + [2] * 6,
    "mixed": np.random.Generator(np.random.PCG64(0)).integers(0, 4, 101).tolist(),
    "mixed and skewed": np.random.Generator(np.random.PCG64(1))
    .choice(3, 150, p=[0.8, 0.14, 0.06])
    .tolist(),
}
GROUPS = {
    "equal": [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4,
    "one large": [0] * 30 + [1, 2, 3, 4, 5, 6, 6],
    "falling": np.repeat(np.arange(12), np.arange(12, 0, -1)).tolist(),
    "random": np.random.Generator(np.random.PCG64(2)).integers(0, 17, 120).tolist(),
}
FOLDS = (2, 3, 5)


def sizes(splitter, n, groups=None):
    return [len(test) for _, test in splitter.split(np.zeros(n), groups=groups)]


def main():
    golden = {"stratified": [], "plain": [], "repeated": [], "grouped": [], "t": []}
    for name, codes in CODES.items():
        for folds in FOLDS:
            splits = StratifiedKFold(folds, shuffle=True, random_state=0).split(
                np.zeros(len(codes)), codes
            )
            counts = [
                np.bincount(np.array(codes)[test], minlength=max(codes) + 1).tolist()
                for _, test in splits
            ]
            golden["stratified"].append(
                {"name": name, "codes": codes, "folds": folds, "counts": counts}
            )
    for n in (10, 11, 13, 150, 1797):
        for folds in FOLDS:
            golden["plain"].append(
                {
                    "rows": n,
                    "folds": folds,
                    "sizes": sizes(KFold(folds, shuffle=True, random_state=0), n),
                }
            )
            repeated = RepeatedKFold(n_splits=folds, n_repeats=3, random_state=0)
            golden["repeated"].append(
                {"rows": n, "folds": folds, "repeats": 3, "sizes": sizes(repeated, n)}
            )
    for name, groups in GROUPS.items():
        for folds in FOLDS:
            found = sizes(GroupKFold(folds), len(groups), groups)
            golden["grouped"].append(
                {"name": name, "groups": groups, "folds": folds, "sizes": found}
            )
    for degrees in (1, 2, 3, 4, 5, 9, 10, 29, 30, 99, 100, 999):
        for p in (0.6, 0.9, 0.95, 0.975, 0.995, 0.9995):
            golden["t"].append({"degrees": degrees, "p": p, "t": float(stats.t.ppf(p, degrees))})
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
