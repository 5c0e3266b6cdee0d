"""What a sweep says of its trials: whether the winner was lucky, and which parameters mattered."""

import math

import numpy as np
import pytest

from nettrain import streams
from nettrain.search.sweep.importances import comparable, importances, ranks
from nettrain.search.sweep.parameter import Parameter
from nettrain.search.sweep.significance import significance_note, standard_error
from nettrain.search.sweep.trial import Trial, ranked


def trial(index, scores, parameters=(), status="finished", same_as=None):
    return Trial(
        index,
        dict(parameters),
        float(np.mean(scores)),
        status,
        1.0,
        "",
        "",
        same_as,
        [float(score) for score in scores],
        [1],
    )


def test_two_shares_of_right_rows_differ_by_the_binomial_error():
    error = standard_error(trial(0, [0.9]), trial(1, [0.8]), "validation_accuracy", 100)
    assert error == pytest.approx(math.sqrt(0.9 * 0.1 / 100 + 0.8 * 0.2 / 100))


def test_runs_that_share_seeds_are_compared_in_pairs():
    error = standard_error(
        trial(0, [0.9, 0.8, 0.7]), trial(1, [0.7, 0.6, 0.4]), "validation_loss", 100
    )
    assert error == pytest.approx(np.std([0.2, 0.2, 0.3], ddof=1) / math.sqrt(3))


@pytest.mark.parametrize(("metric", "rows"), [("validation_loss", 100), ("validation_accuracy", 0)])
def test_of_one_run_and_another_metric_nothing_is_known(metric, rows):
    assert standard_error(trial(0, [0.9]), trial(1, [0.8]), metric, rows) is None
    assert significance_note([trial(0, [0.9]), trial(1, [0.9])], metric, rows) is None


def test_the_binomial_error_is_what_chance_makes():
    chance = streams.generator(0, "rows")
    drawn = (
        chance.binomial(200, 0.9, size=20_000) / 200 - chance.binomial(200, 0.8, size=20_000) / 200
    )
    assert standard_error(
        trial(0, [0.9]), trial(1, [0.8]), "validation_accuracy", 200
    ) == pytest.approx(drawn.std(), rel=0.02)


def test_a_winner_that_may_have_been_lucky_is_told():
    found = significance_note(
        [trial(3, [0.90]), trial(1, [0.89]), trial(2, [0.85]), trial(0, [0.2])],
        "validation_accuracy",
        100,
    )
    assert found.startswith(
        "trial 3 is not significantly better than trials 1, 2: its lead over trial 1 (0.010 +- 0.0"
    )
    assert (
        significance_note([trial(3, [0.90]), trial(1, [0.5])], "validation_accuracy", 100) is None
    )
    assert significance_note([trial(3, [0.90])], "validation_accuracy", 100) is None


def test_the_best_comes_first_and_repeated_and_unfinished_trials_do_not_count():
    trials = [
        trial(0, [0.5]),
        trial(1, [0.9]),
        trial(2, [0.9]),
        trial(3, [1.0], status="pruned"),
        trial(4, [0.9], same_as=1),
    ]
    assert [found.index for found in ranked(trials, maximize=True)] == [1, 2, 0]
    assert [found.index for found in ranked(trials, maximize=False)] == [0, 1, 2]


CHOICE = Parameter(values=("a", "b", "c"))
RANGE = Parameter(min=0.0, max=1.0, distribution="uniform")


def trials_of(score, count=60):
    found = []
    for index in range(count):
        chance = streams.generator(index, "trial")
        setting = {
            "choice": "abc"[int(chance.integers(3))],
            "range": float(chance.random()),
            "none": float(chance.random()),
        }
        found.append(trial(index, [score(setting, chance)], setting))
    return found


PARAMETERS = {"none": RANGE, "choice": CHOICE, "range": RANGE}


def test_what_alone_decides_has_all_the_importance():
    found = importances(trials_of(lambda setting, _: "abc".index(setting["choice"])), PARAMETERS)
    assert next(iter(found)) == "choice" and found["choice"] == pytest.approx(1.0)
    assert max(found["range"], found["none"]) < 0.2


def test_a_range_that_decides_is_found_whatever_its_shape():
    found = importances(trials_of(lambda setting, _: (setting["range"] - 0.5) ** 2), PARAMETERS)
    assert found["range"] > 0.7 and max(found["choice"], found["none"]) < 0.2
    assert next(iter(found)) == "range"


def test_of_noise_nothing_is_important():
    assert (
        max(importances(trials_of(lambda _, chance: chance.normal(), 200), PARAMETERS).values())
        < 0.1
    )


def test_the_share_is_epsilon_squared():
    """Four trials of each of two groups with ranks 1 2 3 5 and 4 6 7 8: SS_between = 24.5, SS_total = 42, MS_within = 17.5 / 6."""
    scores = {"a": [0.1, 0.2, 0.3, 0.5], "b": [0.4, 0.6, 0.7, 0.8]}
    trials = [
        trial(0, [score], {"choice": group}) for group, found in scores.items() for score in found
    ]
    assert importances(trials, {"choice": CHOICE})["choice"] == pytest.approx(
        (24.5 - 17.5 / 6) / 42
    )


@pytest.mark.parametrize("trials", [
    [],
    [trial(0, [1.0], {"choice": "a"}), trial(1, [2.0], {"choice": "b"})],
    [trial(index, [float(index)], {"choice": "a"}) for index in range(5)],
    [trial(index, [1.0], {"choice": "ab"[index % 2]}) for index in range(6)],
])  # fmt: skip
def test_too_little_says_nothing(trials):
    assert importances(trials, {"choice": CHOICE}) == {"choice": None}


def test_a_parameter_whose_bad_values_are_pruned_is_important():
    """Of 40 trials, only those with good values of "range" are finished: alone they show nothing."""
    trials = [
        trial(i, [abs(i / 40 - 0.5)], {"range": i / 40}, "finished" if 15 < i < 25 else "pruned")
        for i in range(40)
    ]
    trials += [trial(40, [0.0], {"range": 0.5}, same_as=20), trial(41, [0.0], {}, status="failed")]
    assert len(comparable(trials)) == 40
    assert importances(comparable(trials), {"range": RANGE})["range"] > 0.8


def test_a_conditional_parameter_is_judged_where_it_is_set():
    trials = [trial(index, [float(index % 2)], {"choice": "ab"[index % 2]}) for index in range(10)]
    trials += [trial(10 + index, [100.0 + index], {}) for index in range(10)]
    assert importances(trials, {"choice": CHOICE})["choice"] == pytest.approx(1.0)


def test_equal_values_share_their_rank():
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]
