"""The Optuna study of a sweep: all trials as Optuna's own tools read them; a database that cannot be written is told first."""

import gc
import sqlite3
import subprocess
import sys
import warnings

import pytest

from nettrain.errors import ConfigError
from nettrain.search.observer import Observer
from nettrain.search.sweep.sweep import resume_sweep, sweep

optuna = pytest.importorskip("optuna", reason='needs pip install "nettrain[search]"')
from optuna.trial import TrialState  # noqa: E402
from sqlalchemy.pool import NullPool  # noqa: E402

from nettrain.search.sweep.optuna_export import OptunaExport  # noqa: E402

BASE = {
    "dataset": {
        "source": {"type": "xor", "rows": 60, "noise": 0.3},
        "split": {"validation": 0.25, "test": 0.25},
    },
    "model": {"type": "mlp", "hidden": [4]},
    "training": {"epochs": 6, "batch_size": 10},
}
SPEC = {
    "base": BASE, "metric": "validation_accuracy", "trials": 20, "early_terminate": {"type": "median", "min_epochs": 2},
    "parameters": {
        "optimizer.type": {"values": ["sgd", "momentum"]},
        "optimizer.lr": {"min": 1e-4, "max": 0.3, "distribution": "log_uniform"},
        "optimizer.beta": {"values": [0.8, 0.9], "when": {"optimizer.type": "momentum"}},
        "model.hidden": {"values": [[2], [4], [6, 3]]},
        "regularization.dropout": {"min": 0, "max": 0.5, "step": 0.1},
        "training.batch_size": {"min": 4, "max": 40, "distribution": "int_uniform"},
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


def opened(url):
    """A database as Optuna opens it, of which no connection stays open."""
    return optuna.storages.RDBStorage(url, engine_kwargs={"poolclass": NullPool})


def loaded(url, name):
    study = optuna.load_study(study_name=name, storage=opened(url))
    return study, study.trials


@pytest.fixture(autouse=True)
def silent():
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(level)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    url = f"sqlite:///{folder}/study.db"
    return sweep(SPEC, output_directory=folder, run_name="gates", executor="serial", study=url), url


def test_every_trial_is_in_the_study(made):
    found, url = made
    study, trials = loaded(url, "gates")
    assert [trial.number for trial in trials] == list(range(20))
    assert not any(note.startswith("--study") for note in found.notes)
    states = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
    assert [trial.state for trial in trials] == [states[trial.status] for trial in found.trials]
    assert {trial.state for trial in trials} == set(states.values())
    assert [trial.value for trial in trials] == [trial.metric for trial in found.trials]
    for ours, theirs in zip(found.trials, trials, strict=True):
        assert theirs.params["optimizer.lr"] == ours.parameters["optimizer.lr"]
        assert ("optimizer.beta" in theirs.params) == ("optimizer.beta" in ours.parameters)
        assert theirs.params["model.hidden"] == str(ours.parameters["model.hidden"])
        assert theirs.params["regularization.dropout"] == pytest.approx(
            ours.parameters["regularization.dropout"], abs=1e-15
        )
        rows = (theirs.user_attrs["run_directory"] + "/metrics.jsonl",)
        with open(rows[0], encoding="utf-8") as file:
            assert list(theirs.intermediate_values) == list(range(1, len(file.readlines()) + 1))
        assert theirs.duration.total_seconds() == pytest.approx(ours.seconds, abs=1e-5)
    assert study.metric_names == ["validation_accuracy"] and study.direction.name == "MAXIMIZE"


def test_optunas_tools_read_it(made):
    found, url = made
    study = optuna.load_study(study_name="gates", storage=opened(url))
    best = max(
        (trial for trial in found.trials if trial.status == "finished"),
        key=lambda trial: (trial.metric, -trial.index),
    )
    assert (study.best_trial.number, study.best_value) == (best.index, best.metric)
    with warnings.catch_warnings(action="ignore"):  # experimental in Optuna 4
        importances = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
        )
    assert set(importances) | {"optimizer.beta"} == set(
        SPEC["parameters"]
    )  # which not every trial has, nor every release of Optuna judges
    study.sampler = optuna.samplers.TPESampler(seed=0)
    study.enqueue_trial({"optimizer.lr": 0.01})
    assert study.ask().number == 20  # it can be gone on with


def test_an_interrupted_sweep_leaves_what_it_has_and_a_resumed_one_all(tmp_path):
    url = f"sqlite:///{tmp_path}/study.db"
    with pytest.raises(Stop):
        sweep(
            SPEC,
            output_directory=tmp_path,
            run_name="a",
            executor="serial",
            study=url,
            observer=StopAfter(7),
        )
    assert len(loaded(url, "a")[1]) == 7
    found = resume_sweep(tmp_path / "a", executor="serial", study=url)
    assert [trial.value for trial in loaded(url, "a")[1]] == [
        trial.metric for trial in found.trials
    ]


def test_trials_that_went_wrong_have_failed(tmp_path):
    url = f"sqlite:///{tmp_path}/study.db"
    spec = {
        "base": BASE,
        "method": "grid",
        "metric": "validation_loss",
        "parameters": {
            "optimizer": {"values": [{"type": "sgd", "lr": 1e30}, {"type": "sgd", "lr": 0.1}]}
        },
    }
    found = sweep(spec, output_directory=tmp_path, run_name="a", executor="serial", study=url)
    bad, good = loaded(url, "a")[1]
    assert (bad.state, bad.value, bad.user_attrs["status"]) == (TrialState.FAIL, None, "diverged")
    assert (
        bad.user_attrs["message"] == found.trials[0].message and good.state == TrialState.COMPLETE
    )
    assert good.params == {"optimizer": '{"type": "sgd", "lr": 0.1}'}


def test_sweeps_of_one_name_have_studies_of_their_own(tmp_path):
    url, spec = f"sqlite:///{tmp_path}/study.db", SPEC | {"trials": 2}
    for folder in ("one", "other", "one"):
        if folder == "one" and (tmp_path / "one").exists():
            resume_sweep(tmp_path / "one" / "a", trials=3, executor="serial", study=url)
        else:
            sweep(
                spec, output_directory=tmp_path / folder, run_name="a", executor="serial", study=url
            )
    assert (len(loaded(url, "a")[1]), len(loaded(url, "a-2")[1])) == (3, 2)
    assert sorted(optuna.get_all_study_names(opened(url))) == ["a", "a-2"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("study.db", "expected the URL of a database"),
        ("sqlite:////nowhere/study.db", "unable to open database file"),
        ("oracl://host/db", "expected the URL of a database"),
    ],
)
def test_a_database_that_cannot_be_written_is_told_before_anything_is_made(tmp_path, url, said):
    with pytest.raises(ConfigError, match=rf"--study {url}: .*{said}"):
        sweep(SPEC, output_directory=tmp_path / "runs", executor="serial", study=url)
    assert not (tmp_path / "runs").exists()


def test_a_database_of_another_release_is_told_with_the_command_that_upgrades_it(tmp_path):
    url = f"sqlite:///{tmp_path}/study.db"
    OptunaExport(url)
    with sqlite3.connect(tmp_path / "study.db") as connection:
        connection.execute("update alembic_version set version_num = 'v2.4.0.a'")
    connection.close()
    with pytest.raises(ConfigError, match=r"--study .*optuna storage upgrade"):
        OptunaExport(url)
    gc.collect()  # from Python 3.13 on, a connection that nobody closed is told here


def test_a_database_that_is_lost_on_the_way_costs_the_study_alone(tmp_path):
    file = tmp_path / "study.db"

    class Spoil(Observer):
        def ended(self, outcome):
            file.write_bytes(b"no database" * 1000)

    url = f"sqlite:///{file}"
    found = sweep(
        SPEC | {"trials": 2},
        output_directory=tmp_path,
        run_name="a",
        executor="serial",
        study=url,
        observer=Spoil(),
    )
    assert found.test is not None and any(
        "--study" in note and "the sweep is complete without it" in note for note in found.notes
    )
    with pytest.raises(sqlite3.DatabaseError), sqlite3.connect(file) as connection:
        connection.execute("select * from trials")
    connection.close()


AT_ONCE = """
import sys
from nettrain.search.sweep.optuna_export import OptunaExport

for line in sys.stdin:  # one database after the other, each opened when the test says so
    OptunaExport(line.strip())
    print("opened", flush=True)
"""


@pytest.mark.slow
def test_processes_that_create_one_database_at_once_all_open_it(tmp_path):
    opening = [
        subprocess.Popen(
            [sys.executable, "-c", AT_ONCE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for number in range(12):
        for process in opening:
            process.stdin.write(f"sqlite:///{tmp_path}/{number}.db\n")
            process.stdin.flush()
        assert [process.stdout.readline() for process in opening] == ["opened\n"] * 2
    for process in opening:
        assert process.communicate(timeout=240)[1] == "" and process.returncode == 0
