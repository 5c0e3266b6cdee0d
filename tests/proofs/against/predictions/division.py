"""How rows are divided in folds, and what they weigh."""

import dataclasses
from typing import Any

import numpy as np
from against.comparison import Comparison
from sklearn import model_selection
from sklearn.utils import class_weight

from nettrain.data.dataset import Dataset
from nettrain.data.features import Features
from nettrain.data.target import Target
from nettrain.data.weights import row_weights, settle_class_weights
from nettrain.search.cv.folds import grouped, plain, stratified

EXACT = 1e-12


def dealt(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """How many rows, of each class and of each group, folds have."""
    n, codes = case["rows"], random.integers(case["columns"], size=case["rows"])
    count = int(random.integers(2, 1 + min(n, 6)))
    everything = np.zeros(n)

    def sizes(folds: np.ndarray, chosen: Any = slice(None)) -> list[int]:
        return sorted(np.bincount(folds[chosen], minlength=count).tolist())

    def of(peer: Any, *more: Any) -> np.ndarray:
        found = np.empty(n, int)
        for fold, (_, rows) in enumerate(peer.split(everything, *more)):
            found[rows] = fold
        return found

    ours = plain(n, count, random)
    comparison.equal("folds", sizes(ours), sizes(of(model_selection.KFold(count))))
    ours, theirs = stratified(codes, count, random), None
    if np.bincount(codes).max() >= count:
        theirs = of(model_selection.StratifiedKFold(count), codes)
        comparison.equal("folds: stratified", sizes(ours), sizes(theirs))
        for code in set(codes):
            comparison.equal(
                "folds: classes", sizes(ours, codes == code), sizes(theirs, codes == code)
            )
    groups = random.integers(1 + n // 2, size=n)
    if len(set(groups)) >= count:
        ours, theirs = grouped(groups, count, random), of(model_selection.GroupKFold(count), codes, groups)  # fmt: skip
        comparison.equal("folds: groups", sizes(ours), sizes(theirs))
        whole = all(len(set(ours[groups == group])) == 1 for group in set(groups))
        comparison.equal("folds: whole groups", True, whole)


def weights(case: dict[str, Any], random: np.random.Generator, comparison: Comparison) -> None:
    """Balanced class weights, for rows with weights too: those of rows that stand several times."""
    n, k = case["rows"], 1 + case["columns"]
    y = random.integers(k, size=n)
    often = random.integers(0, 4, size=n)
    often[0] = 1
    names = tuple(f"class {code}" for code in range(k))
    plain_rows = Dataset(Features(np.zeros((n, 1)), ("x",)), Target(y, classes=names))
    weighted = dataclasses.replace(plain_rows, weights=often.astype(float))
    for rows, several in ((plain_rows, y), (weighted, np.repeat(y, often))):
        found = settle_class_weights("balanced", rows)
        present = np.unique(several)
        theirs = class_weight.compute_class_weight("balanced", classes=present, y=several)
        mine = [found[names[code]] for code in present]
        comparison.close("class weights", mine, theirs, EXACT)
        each = row_weights(rows, found)
        of_rows = dict(zip(present, theirs, strict=True))
        own = np.ones(n) if rows.weights is None else rows.weights
        wanted = [of_rows.get(code, 1.0) * w for code, w in zip(y, own, strict=True)]
        comparison.close("row weights", each, wanted, EXACT)
