"""SAMME round by round: against scikit-learn's AdaBoostClassifier, numbers worked by hand, and both ways to stop."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettrain.inference.voting import combined
from nettrain.search.ensembles.boosting import boosting_round

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "boosting.json").read_text())


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_errors_votes_and_what_is_decided_are_scikit_learn_s(case):
    targets, decided = np.array(case["targets"]), np.array(case["decided"])
    weights = np.full(len(targets), 1 / len(targets))
    votes = []
    for own, error, weight in zip(decided, case["errors"], case["weights"], strict=True):
        found = boosting_round(weights, own != targets, case["classes"])
        assert found.error == pytest.approx(error, rel=1e-8) and found.weight == pytest.approx(
            weight, rel=1e-8
        )
        weights = found.weights
        votes.append(found.weight)
    said = np.eye(case["classes"])[decided]
    assert (
        combined(said, np.array(votes), "majority", "classification").argmax(axis=1).tolist()
        == case["predicted"]
    )


def test_hard_rows_weigh_more_by_the_hand_s_numbers():
    """GOLDEN 28: one of four rows wrong, two classes: e = 1/4, alpha = log 3; its weight becomes that of the three others together."""
    found = boosting_round(np.ones(4), np.array([False, True, False, False]), 2)
    assert found.error == 0.25 and found.weight == pytest.approx(math.log(3))
    np.testing.assert_allclose(found.weights, [2 / 3, 2, 2 / 3, 2 / 3])


def test_with_more_classes_a_member_may_be_wrong_more_often_than_not():
    found = boosting_round(np.ones(10), np.arange(10) < 6, 4)
    assert found.weight == pytest.approx(math.log(4 / 6) + math.log(3)) and found.weight > 0


@pytest.mark.parametrize(("right", "classes"), [(5, 2), (3, 2), (2, 5), (0, 4)])
def test_a_member_no_better_than_chance_has_no_vote(right, classes):
    assert boosting_round(np.ones(10), np.arange(10) >= right, classes) is None


def test_a_member_without_mistakes_votes_as_one_with_half_a_mistake_and_ends_it():
    found = boosting_round(np.array([1.0, 2, 3]), np.zeros(3, bool), 3)
    assert found.perfect and found.weight == pytest.approx(math.log(2.5 / 0.5) + math.log(2))
    assert found.weights.tolist() == [1, 2, 3]


@given(
    weights=st.lists(st.floats(0.01, 100), min_size=4, max_size=30),
    seed=st.integers(0, 99),
    classes=st.integers(2, 5),
)
def test_the_sum_of_the_weights_stays_and_the_last_member_is_then_at_chance(weights, seed, classes):
    weights = np.array(weights)
    wrong = np.random.Generator(np.random.PCG64(seed)).random(len(weights)) < 0.3
    found = boosting_round(weights, wrong, classes)
    if found is None or found.perfect:
        return
    assert found.weights.sum() == pytest.approx(weights.sum())
    assert found.weights[wrong].sum() / found.weights.sum() == pytest.approx(1 - 1 / classes)
