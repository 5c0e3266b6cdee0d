"""The list of runs: what is a run, in which state, sorted and filtered."""

import fcntl
import json
import os
import shutil
import threading

import pytest

from nettrain.errors import ConfigError, RunError
from nettrain.inspection.directory_kind import kind_of
from nettrain.inspection.recorded_run import RecordedRun, inner_runs, open_run
from nettrain.inspection.runs import list_runs
from nettrain.training.artifacts.directory import locked


def names(entries):
    return [entry.name for entry in entries]


def test_an_entry_says_what_the_run_holds(runs):
    [entry] = list_runs(runs, where=["name=a"])
    summary = json.loads((runs / "a" / "summary.json").read_text())
    assert (entry.kind, entry.state, entry.data, entry.model) == ("run", "finished", "csv", "mlp")
    assert entry.metric == "accuracy" and entry.seconds == summary["seconds"]
    assert entry.validation == summary["metrics"]["validation"]["accuracy"]
    assert entry.test == summary["metrics"]["test"]["accuracy"]
    assert entry.size == sum(
        file.stat().st_size for file in (runs / "a").rglob("*") if file.is_file()
    )


def test_the_metric_can_be_chosen(runs):
    [entry] = list_runs(runs, where=["name=a"], metric="loss")
    summary = json.loads((runs / "a" / "summary.json").read_text())
    assert (entry.metric, entry.test) == ("loss", summary["metrics"]["test"]["loss"])


STATES = {
    "finished": lambda run: None,
    "interrupted": lambda run: (run / "summary.json").unlink(),
    "diverged": lambda run: (run / "summary.json").write_text('{"stop_reason": "diverged"}'),
}


@pytest.mark.parametrize("state", STATES)
def test_the_state_is_that_of_the_files(runs, state):
    STATES[state](runs / "a")
    [entry] = list_runs(runs, where=["name=a"])
    assert entry.state == state
    assert entry.validation is not None and entry.seconds is not None  # of the last epoch at least


def test_a_run_that_another_process_trains_is_running(runs):
    with locked(runs / "a"):
        assert {entry.name: entry.state for entry in list_runs(runs)} == {
            "a": "running",
            "b": "finished",
            "c": "finished",
        }
    assert RecordedRun.open(runs / "a").state == "finished"


def test_asking_for_the_state_does_not_keep_a_run_from_beginning(runs):
    descriptor = os.open(runs / "a", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)  # what is_locked holds for a moment
    assert RecordedRun.open(runs / "a").state == "finished"  # two may ask at once
    threading.Timer(0.02, os.close, [descriptor]).start()
    with locked(runs / "a"):
        assert RecordedRun.open(runs / "a").state == "running"


DAMAGE = ("config.yaml", "summary.json", "environment.json", "metrics.jsonl", "splits.npz")


@pytest.mark.parametrize("name", DAMAGE)
@pytest.mark.parametrize("content", [b"", b"\xff\x00[", b"[1, 2]\n"])
def test_a_damaged_file_ends_nothing(runs, name, content):
    (runs / "a" / name).write_bytes(content)
    entries = list_runs(runs, sort="metric")
    assert "a" in names(entries)
    record = RecordedRun.open(runs / "a")
    assert isinstance(record.rows, dict) and isinstance(record.epochs, list)


SHAPES = {
    "summary.json": [{"metrics": 5}, {"metrics": {"test": [1]}}, {"seconds": "x"}, {"notes": 3}],
    "metrics.jsonl": ["x", {"epoch": [1], "step": 1}, {"step": 1}, {"epoch": 10**30, "step": 1}],
    "environment.json": [{"versions": 1}, {"command": "x"}, {"data_fingerprint": None}],
    "diagnostics.jsonl": ["x", {"epoch": 1, "layers": {"a": {"gradient_norm": "x"}}}],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, one) for name in SHAPES for one in SHAPES[name]]
)
def test_what_has_another_shape_counts_as_not_there(runs, name, value):
    (runs / "a" / name).write_text(json.dumps(value) + "\n")
    record = RecordedRun.open(runs / "a")
    read = {"summary.json": record.summary, "metrics.jsonl": record.epochs,
            "environment.json": record.environment, "diagnostics.jsonl": record.diagnostics}  # fmt: skip
    assert not read[name]
    assert "a" in names(list_runs(runs))


def test_of_a_row_of_metrics_what_is_no_number_is_left_out(runs):
    sound = {"epoch": 1, "step": 2, "lr": 0.1, "train_loss": None, "f1": 10**300}
    damaged = {"a": "3", "b": [1], "c": {}, "d": True, "e": 10**400, "f": float("inf")}
    (runs / "a" / "metrics.jsonl").write_text(json.dumps(sound | damaged) + "\n")
    assert RecordedRun.open(runs / "a").epochs == [sound]


@pytest.mark.parametrize("name", DAMAGE)
def test_a_pipe_in_place_of_a_file_ends_at_once(runs, name):
    (runs / "a" / name).unlink()
    os.mkfifo(runs / "a" / name)
    record = RecordedRun.open(runs / "a") if name != "config.yaml" else None
    list_runs(runs)
    assert record is None or (record.rows, record.epochs, record.summary) is not None


def test_what_is_no_run_is_not_listed(runs):
    (runs / "thesis").mkdir()
    (runs / "thesis" / "config.yaml").write_text("a: 1")
    (runs / "notes.txt").write_text("")
    assert names(list_runs(runs)) == ["a", "b", "c"] and kind_of(runs / "thesis") is None


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (["seed=1"], ["c"]),
        (["training.epochs=5"], ["b"]),
        (["training.epochs=3", "seed=0"], ["a"]),
        (["model.type=mlp", "state=finished"], ["a", "b", "c"]),
        (["model.hidden=[4]"], ["a", "b", "c"]),
        (["model.hidden[0]=4"], ["a", "b", "c"]),
        (["model.type=cnn"], []),
    ],
)
def test_conditions_choose_by_configuration_and_by_field(runs, where, expected):
    assert names(list_runs(runs, where=where)) == expected


def test_sorting_puts_the_best_first_and_what_has_no_value_last(runs):
    for name, accuracy in {"a": 0.5, "b": 0.75}.items():
        text = json.dumps({"metrics": {"validation": {"accuracy": accuracy}}})
        (runs / name / "summary.json").write_text(text)
    (runs / "c" / "summary.json").unlink()
    (runs / "c" / "metrics.jsonl").unlink()
    assert names(list_runs(runs, sort="metric")) == ["b", "a", "c"]
    assert names(list_runs(runs, sort="training.epochs", reverse=True))[0] == "b"
    for name in ("a", "b"):
        text = json.dumps({"metrics": {"validation": {"loss": len(name) + ord(name)}}})
        (runs / name / "summary.json").write_text(text)
    assert names(list_runs(runs, sort="metric", metric="loss")) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"where": ["model.typ=cnn"]}, "no run here has such a key; did you mean 'model.type'?"),
        ({"where": ["cnn"]}, "--where cnn: expected KEY=VALUE"),
        ({"sort": "sed"}, "--sort sed: no run here has such a key; did you mean 'seed'?"),
    ],
)
def test_a_key_that_no_run_has_is_an_error(runs, arguments, message):
    with pytest.raises(ConfigError) as error:
        list_runs(runs, **arguments)
    assert message in str(error.value)


def test_a_folder_that_does_not_exist_is_an_error(runs):
    with pytest.raises(RunError, match=r"there is no such folder; did you mean 'runs'\?"):
        list_runs(runs.parent / "rums")


def test_a_sweep_is_listed_by_its_runs_and_is_no_run(runs, tmp_path):
    sweep = tmp_path / "sweep"
    shutil.copytree(runs / "a", sweep / "trials" / "000")
    shutil.copytree(runs / "b", sweep / "final")
    (sweep / "sweep.yaml").write_text(
        "metric: {name: validation_accuracy, goal: maximize}\nbase: {model: mlp, seed: 3}\n"
    )
    (sweep / "summary.json").write_text(
        json.dumps({"directory": ".", "best": {"metric": 0.9}, "test": {"accuracy": 0.8}})
    )
    [entry] = list_runs(tmp_path, where=["kind=sweep", "seed=3"])
    assert (entry.metric, entry.validation, entry.test) == ("accuracy", 0.9, 0.8)
    assert (entry.model, entry.state) == ("mlp", "finished")
    assert names(list_runs(sweep)) == ["final", "000"]
    assert len(inner_runs(RecordedRun.open(sweep))) == 2
    with pytest.raises(RunError, match=r"is a sweep; name one of its runs, such as .*final"):
        open_run(sweep)


@pytest.mark.parametrize("name", ["runs/aa", "flowers.csv", "."])
def test_what_is_no_run_cannot_be_opened(runs, name):
    with pytest.raises(RunError, match=r"no such run directory|is a file|not a run directory"):
        open_run(runs.parent / name)
