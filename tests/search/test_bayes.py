"""Bayesian search: better than chance, the same again from its seed, every kind of parameter and condition, trials that went wrong."""

import json
import math
import statistics
import sys

import pytest

from nettrain.errors import ConfigError
from nettrain.search.observer import Observer
from nettrain.search.sweep.parameter import Parameter
from nettrain.search.sweep.proposers.random import RandomSettings
from nettrain.search.sweep.space import Space
from nettrain.search.sweep.sweep import resume_sweep, sweep

optuna = pytest.importorskip("optuna", reason='needs pip install "nettrain[search]"')
from nettrain.search.sweep.optuna_space import distribution, distributions, suggested, to_optuna  # noqa: E402
from nettrain.search.sweep.proposers.bayes import STARTUP, Bayes  # noqa: E402

EVERY = {
    "type": Parameter(values=("sgd", "momentum", "adam")),
    "lr": Parameter(min=1e-5, max=1.0, distribution="log_uniform"),
    "beta": Parameter(values=(0.8, 0.9, 0.99), when={"type": "momentum"}),
    "hidden": Parameter(values=([32], [64, 64], None, [128, 64])),
    "dropout": Parameter(min=0.0, max=0.55, step=0.1, distribution="uniform"),
    "noise": Parameter(min=-1.0, max=1.0, distribution="uniform"),
    "batch": Parameter(min=8, max=256, distribution="int_log_uniform"),
    "units": Parameter(min=4, max=21, step=5, distribution="int_uniform"),
    "mixed": Parameter(values=(1, True, "1", 1.0)),
}


@pytest.fixture
def space():
    return Space(EVERY)


def error(setting):
    """Least at momentum, lr 0.01, beta 0.9, two layers, dropout 0.2, batch 32."""
    best = {"sgd": -1, "adam": -3, "momentum": -2}[setting["type"]]
    return (
        (math.log10(setting["lr"]) - best) ** 2 + 0.3 * (len(setting["hidden"] or ()) != 2) + abs(setting["dropout"] - 0.2)
        + 0.1 * abs(math.log2(setting["batch"] / 32)) + 0.2 * (setting.get("beta") == 0.8) + setting["noise"] ** 2
    )  # fmt: skip


def settings(proposer, count, score=error):
    found = []
    for index in range(count):
        found.append(proposer.ask(index))
        proposer.tell(index, "finished", score(found[-1]))
    return found


def test_after_forty_trials_it_has_found_better_than_chance(space):
    bayes = [
        min(map(error, settings(Bayes(space, seed, maximize=False), 40))) for seed in range(10)
    ]
    chance = [min(map(error, settings(RandomSettings(space, seed), 40))) for seed in range(10)]
    assert statistics.fmean(bayes) < 0.7 * statistics.fmean(chance)


def test_maximizing_a_score_is_minimizing_its_opposite(space):
    down = settings(Bayes(space, 3, maximize=False), 20)
    assert settings(Bayes(space, 3, maximize=True), 20, lambda setting: -error(setting)) == down


def test_settings_hold_what_their_parameters_allow(space):
    found = settings(Bayes(space, 0, maximize=False), 60)
    for setting in found:
        assert list(setting) == [path for path in EVERY if path in setting]
        assert ("beta" in setting) == (setting["type"] == "momentum")
        for path, value in setting.items():
            parameter = EVERY[path]
            if parameter.count is None:
                assert parameter.min <= value <= parameter.max and isinstance(
                    value, int if parameter.whole else float
                )
            else:
                assert any(
                    value == one and type(value) is type(one)
                    for one in map(parameter.value, range(parameter.count))
                )
    for path, parameter in EVERY.items():
        if parameter.count is not None:
            seen = {json.dumps(setting[path]) for setting in found if path in setting}
            assert seen == {
                json.dumps(parameter.value(place)) for place in range(parameter.count)
            }, path
    assert max(setting["dropout"] for setting in found) == 0.5


def test_a_setting_is_the_same_there_and_back(space):
    """Through Optuna's values, which a resumed sweep begins from."""
    study = optuna.create_study()
    for setting in settings(Bayes(space, 1, maximize=False), 30):
        study.enqueue_trial(to_optuna(setting, space))
        again = suggested(study.ask(), space)
        assert json.dumps(again) == json.dumps(setting)


@pytest.mark.parametrize(("parameter", "expected"), [
    (Parameter(values=("a", 2, None, True)), {"name": "CategoricalDistribution", "attributes": {"choices": ["a", 2, None, True]}}),
    (Parameter(values=("a", 1, True)), {"name": "CategoricalDistribution", "attributes": {"choices": ['"a"', "1", "true"]}}),
    (Parameter(values=([1], [2, 3])), {"name": "CategoricalDistribution", "attributes": {"choices": ["[1]", "[2, 3]"]}}),
    (Parameter(values=(16, 32, 16)), {"name": "CategoricalDistribution", "attributes": {"choices": [16, 32]}}),
    (EVERY["lr"], {"name": "FloatDistribution", "attributes": {"step": None, "low": 1e-5, "high": 1.0, "log": True}}),
    (EVERY["dropout"], {"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 0.5, "log": False}}),
    (EVERY["batch"], {"name": "IntDistribution", "attributes": {"step": 1, "low": 8, "high": 256, "log": True}}),
    (EVERY["units"], {"name": "IntDistribution", "attributes": {"step": 5, "low": 4, "high": 19, "log": False}}),
])  # fmt: skip
def test_a_parameter_has_its_distribution(parameter, expected):
    found = json.loads(optuna.distributions.distribution_to_json(distribution(parameter)))
    assert found == expected


def test_the_seed_decides(space):
    assert settings(Bayes(space, 5, maximize=False), 25) == settings(
        Bayes(space, 5, maximize=False), 25
    )
    assert settings(Bayes(space, 5, maximize=False), 3) != settings(
        Bayes(space, 6, maximize=False), 3
    )


@pytest.mark.parametrize("after", [1, STARTUP, 17])
def test_a_session_that_recalls_the_earlier_one_goes_on_like_it(space, after):
    whole = settings(Bayes(space, 5, maximize=False), 25)
    later = Bayes(space, 5, maximize=False)
    for index, setting in enumerate(whole[:after]):
        later.recall(index, setting, "finished", error(setting), {})
    for index in range(after, 25):
        assert later.ask(index) == whole[index]
        later.tell(index, "finished", error(whole[index]))


def test_what_goes_wrong_by_its_setting_is_avoided_and_what_is_killed_is_not_held_against_it():
    space = Space({"lr": Parameter(min=0.0, max=1.0, distribution="uniform")})

    def high(status):
        proposer = Bayes(space, 0, maximize=False)
        found = []
        for index in range(60):
            found.append(proposer.ask(index)["lr"])
            bad = found[-1] > 0.5
            proposer.tell(index, status if bad else "finished", None if bad else 1.0 - found[-1])
        return sum(value > 0.5 for value in found[STARTUP:])

    assert (
        high("diverged") < 30 < 40 < high("killed")
    )  # of 50; the best of the others are at the very edge, where it searches on


def test_trials_under_way_keep_others_away():
    space = Space({"lr": Parameter(min=0.0, max=1.0, distribution="uniform")})

    def spread(seed):
        proposer = Bayes(space, seed, maximize=False)
        settings(proposer, 20, lambda setting: (setting["lr"] - 0.3) ** 2)
        return statistics.pstdev(proposer.ask(20 + place)["lr"] for place in range(8))

    assert (
        statistics.fmean(map(spread, range(4))) > 0.15
    )  # 0.24; 0.06 where each knows nothing of the others


BASE = {
    "dataset": {
        "source": {"type": "xor", "rows": 60, "noise": 0.3},
        "split": {"validation": 0.25, "test": 0.25},
    },
    "model": {"type": "mlp", "hidden": [4]},
    "training": {"epochs": 3, "batch_size": 10},
}
SPEC = {
    "base": BASE, "method": "bayes", "metric": "validation_loss", "trials": 16,
    "parameters": {
        "optimizer.type": {"values": ["sgd", "momentum"]},
        "optimizer.lr": {"min": 1e-3, "max": 0.3, "distribution": "log_uniform"},
        "optimizer.beta": {"values": [0.8, 0.9], "when": {"optimizer.type": "momentum"}},
        "model.hidden": {"values": [[2], [4], [6, 3]]},
    },
}  # fmt: skip


class Stop(BaseException):
    pass


class StopAfter(Observer):
    def __init__(self, count):
        self.left = count

    def ended(self, outcome):
        self.left -= 1
        if self.left == 0:
            raise Stop


def rows(found):
    return [(trial.index, trial.parameters, trial.metric, trial.status) for trial in found.trials]


def test_the_table_of_one_worker_is_the_same_wherever_and_after_an_interruption(tmp_path):
    whole = sweep(SPEC, output_directory=tmp_path / "whole", executor="serial")
    assert rows(
        sweep(SPEC, output_directory=tmp_path / "local", executor="local", workers=1)
    ) == rows(whole)
    with pytest.raises(Stop):
        sweep(SPEC, output_directory=tmp_path / "broken", executor="serial", observer=StopAfter(12))
    assert rows(resume_sweep(tmp_path / "broken" / "sweep", executor="serial")) == rows(whole)


def test_several_workers_make_every_trial(tmp_path):
    found = sweep(SPEC, output_directory=tmp_path, executor="local", workers=3)
    assert [trial.index for trial in found.trials] == list(range(16))
    assert all(trial.status == "finished" for trial in found.trials)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({}, "method: bayes"),
        ({"method": "random", "early_terminate": "median"}, "early_terminate: median"),
    ],
)
def test_without_the_package_the_command_that_installs_it_is_told_before_anything_is_written(
    tmp_path, monkeypatch, changes, what
):
    for name in [name for name in sys.modules if name.partition(".")[0] == "optuna"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("pruning", "optuna_space", "proposers.bayes", "proposers.optuna_proposer"):
        monkeypatch.delitem(sys.modules, f"nettrain.search.sweep.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(
        ConfigError, match=rf'{what}: optuna is not installed; pip install "nettrain\[search\]"'
    ):
        sweep(SPEC | changes, output_directory=tmp_path / "runs", executor="serial")
    assert not (tmp_path / "runs").exists()


def test_distributions_of_a_space_are_those_of_its_parameters(space):
    assert set(distributions(space)) == set(EVERY)
