"""Scores of single columns, hashes of rows and the classifier of parts against slower ways."""

import numpy as np
import pytest

from nettrain.data.features import Category, Features
from nettrain.inspection.data_profile.part_classifier import classifier_auc
from nettrain.inspection.data_profile.row_hashes import hash_rows
from nettrain.inspection.data_profile.single_columns import (
    FOLDS,
    class_score,
    number_score,
    numbered,
    rank_score,
    threshold_score,
)

CHANCE = np.random.default_rng(0)
N = 90
FOLD = np.arange(N) % FOLDS
COLUMNS = {
    "few numbers": CHANCE.integers(0, 5, N).astype(float),
    "many numbers": CHANCE.normal(size=N),
    "gaps": np.where(CHANCE.random(N) < 0.3, np.nan, CHANCE.integers(0, 3, N)),
    "texts": Category(CHANCE.integers(-1, 4, N).astype(np.int32), ("a", "b", "c", "d")),
}


def held_out(bins, answer):
    """(n,) what the rows of the same bin in the other folds answer; all of them where none are."""
    found = []
    for row in range(N):
        others = FOLD[row] != FOLD
        same = others & (bins == bins[row])
        found.append(answer(same if same.any() else others))
    return np.array(found)


@pytest.mark.parametrize("name", COLUMNS)
def test_scores_are_those_of_a_tree_of_one_level_written_as_loops(name):
    bins = numbered(COLUMNS[name])
    codes = (bins + CHANCE.integers(0, 2, N)) % 3
    y = bins + CHANCE.normal(size=N)
    largest = np.bincount(codes).max()
    correct = (held_out(bins, lambda rows: np.bincount(codes[rows]).argmax()) == codes).sum()
    assert class_score(bins, codes, FOLD) == pytest.approx((correct - largest) / (N - largest))
    means = held_out(bins, lambda rows: y[rows].mean())
    r2 = 1 - ((y - means) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert number_score(bins, y, FOLD) == pytest.approx(r2)


@pytest.mark.parametrize("name", ["few numbers", "many numbers"])
def test_the_best_threshold_is_that_of_all_tried_in_turn(name):
    x = COLUMNS[name]
    codes = (x + CHANCE.normal(size=N) > 1).astype(int)
    accuracies = [max((low == codes).sum(), (low != codes).sum()) for low in map(x.__gt__, x)]
    largest = np.bincount(codes).max()
    assert threshold_score(x, codes) == pytest.approx((max(accuracies) - largest) / (N - largest))
    assert threshold_score(-x, codes) == pytest.approx(threshold_score(x, codes))
    assert threshold_score(x, np.arange(N) % 3) == 0


def test_ranks_see_through_a_function_that_rises():
    x, y = COLUMNS["many numbers"], COLUMNS["few numbers"]
    assert rank_score(x, np.exp(3 * x)) == pytest.approx(1)
    # scipy.stats.spearmanr([1, 2, 2, 4, 3], [3, 1, 2, 5, 4]).statistic = 0.6668859288553503
    ties = rank_score(np.array([1.0, 2, 2, 4, 3]), np.array([3.0, 1, 2, 5, 4]))
    assert ties == pytest.approx(0.6668859288553503**2)
    assert rank_score(x, y) < 0.5 and rank_score(np.full(N, np.nan), y) == 0


@pytest.mark.parametrize("name", COLUMNS)
def test_bins_keep_the_order_and_tell_missing_cells_apart(name):
    column = COLUMNS[name]
    x = np.where(column.codes < 0, np.nan, column.codes) if name == "texts" else column
    bins = numbered(column)
    present = ~np.isnan(x)
    assert set(bins[~present]).isdisjoint(bins[present])
    order = np.argsort(x[present], kind="stable")
    assert (np.diff(bins[present][order]) >= 0).all()


def test_rows_have_one_hash_where_they_are_equal():
    numbers = np.array([[0.0, np.nan], [-0.0, np.nan], [0.0, 1.0], [1.0, 0.0], [0.0, np.nan]])
    texts = Category(np.array([0, 0, 0, 0, 1], np.int32), ("a", "b"))
    first, same, *others = hash_rows(Features(numbers, ("x", "y"), {"t": texts}), np.arange(5))
    assert first == same
    assert len({first, *others}) == 4


def test_a_hash_depends_on_the_text_and_not_on_its_code():
    one, other = (
        Features(np.zeros((1, 0)), (), {"t": Category(np.array([code]), values)})
        for code, values in ((0, ("b",)), (1, ("a", "b")))
    )
    assert hash_rows(one, np.arange(1)) == hash_rows(other, np.arange(1))


def test_no_two_of_many_different_rows_have_one_hash():
    rows = np.arange(90_000)
    hashes = hash_rows(
        Features(np.stack([rows % 300, rows // 300], axis=1) / 1.0, ("x", "y")), rows
    )
    assert len(np.unique(hashes)) == len(rows)


def test_the_classifier_of_parts_knows_a_shift_and_no_more():
    x = CHANCE.normal(size=2000)
    train = np.arange(2000) < 1000
    alike, chance = classifier_auc({"x": x}, train, ~train)
    assert abs(alike - 0.5) < 4 * chance
    shifted, _ = classifier_auc({"x": x + ~train}, train, ~train)
    # P(a < b) of normal numbers one deviation apart: Phi(1 / sqrt(2)) = 0.760
    assert shifted == pytest.approx(0.760, abs=0.03)
