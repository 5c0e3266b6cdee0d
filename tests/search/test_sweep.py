"""Sweeps: the same table however they are made, what is on the disk, what is never run twice, what the winner is trained and tested on."""

import csv
import errno
import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import yaml

import nettrain
from nettrain.config.load import load
from nettrain.errors import ConfigError, DataError, RunError
from nettrain.search.executors.base import Ended, Reported
from nettrain.search.executors.serial import Serial
from nettrain.search.observer import Observer
from nettrain.search.sweep.proposers.base import Proposer
from nettrain.search.sweep.result import as_json
from nettrain.search.sweep.sweep import resume_sweep, sweep
from nettrain.training.artifacts.run_directory import RunDirectory
from nettrain.training.loop import Interrupted

BASE = {
    "name": "base",
    "dataset": {
        "source": {"type": "xor", "rows": 60, "noise": 0.3},
        "split": {"validation": 0.25, "test": 0.25},
    },
    "model": {"type": "mlp", "hidden": [4]},
    "training": {"epochs": 3, "batch_size": 10},
    "optimizer": {"type": "adam", "lr": 0.01},
}
SPACE = {
    "optimizer.lr": {"min": 1e-3, "max": 0.3, "distribution": "log_uniform"},
    "model.hidden": {"values": [[2], [4], [6, 3]]},
}


def spec(**changes):
    return {
        "base": BASE,
        "method": "random",
        "metric": "validation_loss",
        "trials": 8,
        "parameters": SPACE,
    } | changes


def table(found):
    """All that may not depend on how a sweep was made."""
    keys = ("index", "parameters", "metric", "status", "same_as", "scores", "best_epochs")
    rows = [[getattr(trial, key) for key in keys] for trial in found.trials]
    return json.loads(json.dumps([rows, found.best.index, found.test]))


def rows_of(path):
    with np.load(path) as found:
        return {part: set(found[part].tolist()) for part in found}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An undisturbed sweep of 8 trials."""
    return sweep(spec(), output_directory=tmp_path_factory.mktemp("whole"), executor="serial")


class After(Observer):
    """Does something when so many trials are over."""

    def __init__(self, count, what):
        self.count, self.what, self.seen = count, what, []

    def ended(self, outcome):
        if outcome.index is None:  # the final run
            return
        self.seen.append(outcome.index)
        if len(self.seen) == self.count:
            self.what()


class Crash(BaseException):
    """Stands for whatever ends a process."""


def crash():
    raise Crash


def test_a_sweep_leaves_what_it_found(whole):
    path = Path(whole.directory)
    assert [trial.index for trial in whole.trials] == list(range(8))
    assert whole.best.metric == min(trial.metric for trial in whole.trials)
    lines = [json.loads(line) for line in (path / "trials.jsonl").read_text().splitlines()]
    assert sorted(line["index"] for line in lines) == list(range(8))
    with open(path / "trials.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["trial"]), float(row["metric"])) for row in rows] == [
        (trial.index, trial.metric) for trial in whole.trials
    ]
    assert [json.loads(row["model.hidden"]) for row in rows] == [
        trial.parameters["model.hidden"] for trial in whole.trials
    ]
    assert json.loads((path / "importances.json").read_text()).keys() == SPACE.keys()
    assert json.loads((path / "summary.json").read_text())["test"] == whole.test


def test_each_trial_is_an_ordinary_run(whole, tmp_path):
    for trial in whole.trials:
        folder = Path(whole.directory) / trial.run_directory
        again = nettrain.train(folder / "config.yaml", output_directory=tmp_path)
        assert again.metrics["validation"]["loss"] == trial.metric
        predictor = nettrain.load(folder)
        validation = predictor.training_data.datasets["validation"]
        evaluation = predictor.evaluation(validation, predictor.training_data.datasets["train"])
        assert evaluation.metrics["loss"] == trial.metric
        config = load(folder / "config.yaml")
        assert (config.optimizer.lr, list(config.model.hidden)) == tuple(
            trial.parameters[key] for key in SPACE
        )


def test_the_best_configuration_gives_the_best_score_again(whole, tmp_path):
    again = nettrain.train(Path(whole.directory) / "best.yaml", output_directory=tmp_path)
    assert again.metrics["validation"]["loss"] == whole.best.metric


def test_no_trial_sees_the_test_part(whole):
    splits = [
        rows_of(Path(whole.directory) / trial.run_directory / "splits.npz")
        for trial in whole.trials
    ]
    assert all(split == splits[0] for split in splits)
    for trial in whole.trials:
        summary = json.loads(
            (Path(whole.directory) / trial.run_directory / "summary.json").read_text()
        )
        assert sorted(summary["metrics"]) == ["train", "validation"]


def test_the_winner_is_trained_on_all_but_the_test_part_and_tested_once(whole):
    trial = rows_of(Path(whole.directory) / whole.best.run_directory / "splits.npz")
    final = rows_of(Path(whole.directory) / "final" / "splits.npz")
    assert final == {"train": trial["train"] | trial["validation"], "test": trial["test"]}
    config = load(Path(whole.directory) / "final" / "config.yaml")
    assert config.training.epochs == whole.best.best_epochs[0] and config.early_stopping is None
    assert config.optimizer.lr == whole.best.parameters["optimizer.lr"]
    summary = json.loads((Path(whole.directory) / "final" / "summary.json").read_text())
    assert summary["metrics"]["test"] == whole.test


@pytest.mark.parametrize(("executor", "workers"), [("local", 1), ("local", 3)])
def test_the_table_is_the_same_for_any_executor(whole, tmp_path, executor, workers):
    assert table(
        sweep(spec(), output_directory=tmp_path, executor=executor, workers=workers)
    ) == table(whole)


@pytest.mark.parametrize("after", [1, 4, 8])
def test_the_table_is_the_same_after_an_interruption(whole, tmp_path, after):
    with pytest.raises(Crash):
        sweep(
            spec(),
            output_directory=tmp_path,
            run_name="s",
            executor="local",
            workers=2,
            observer=After(after, crash),
        )
    assert table(resume_sweep(tmp_path / "s", executor="local", workers=2)) == table(whole)


def test_what_is_recorded_is_not_run_again(whole, tmp_path):
    with pytest.raises(Crash):
        sweep(
            spec(),
            output_directory=tmp_path,
            run_name="s",
            executor="serial",
            observer=After(5, crash),
        )
    seen = After(99, crash)
    resume_sweep(tmp_path / "s", executor="serial", observer=seen)
    assert seen.seen == [5, 6, 7]


def test_half_now_and_half_later_is_the_whole(whole, tmp_path):
    first = sweep(spec(), trials=4, output_directory=tmp_path, run_name="s", executor="serial")
    assert table(first)[0] == table(whole)[0][:4]
    assert table(resume_sweep(tmp_path / "s", trials=8, executor="serial")) == table(whole)
    assert yaml.safe_load((tmp_path / "s" / "sweep.yaml").read_text())["trials"] == 8


def test_a_trial_that_the_disk_ended_is_made_again(whole, tmp_path, monkeypatch):
    """The disk is full for the third, fourth and last trial; their settings are not to blame."""
    begin, begun = RunDirectory.begin, []

    def refuse(*given):
        begun.append(given)
        if len(begun) in (3, 4, 8):
            raise RunError("the disk is full") from OSError(errno.ENOSPC, "")
        begin(*given)

    with monkeypatch.context() as full:
        full.setattr(RunDirectory, "begin", refuse)
        found = sweep(spec(), output_directory=tmp_path, run_name="s", executor="serial")
    refused = [trial.index for trial in found.trials if trial.status == "system_error"]
    assert refused == [2, 3, 7] and len(found.ranking) == 5
    assert (
        "trials that an error of the system ended: 3 of 8 (the disk is full); to make them again: "
        f"nettrain sweep --resume {tmp_path / 's'}"
    ) in found.notes
    seen = After(99, crash)
    again = resume_sweep(tmp_path / "s", executor="serial", observer=seen)
    assert table(again) == table(whole) and seen.seen == refused
    assert not [note for note in again.notes if "system" in note]


@pytest.mark.parametrize("retry_failed", [False, True])
def test_a_trial_that_failed_by_its_setting_is_made_again_if_that_is_asked_for(
    tmp_path, retry_failed
):
    """Its file was missing; a repeat of the setting is the trial's result then, too."""
    space = {"dataset.source": {"values": ["digits", {"type": "npz", "path": "rows.npz"}]}}
    given = spec(parameters=space, trials=6, base=BASE | {"training": {"epochs": 1}})
    found = sweep(given, output_directory=tmp_path, run_name="s", executor="serial")
    failed = [trial.index for trial in found.trials if trial.status == "failed"]
    assert len(failed) > 1
    x = np.arange(40.0).reshape(20, 2)
    path = found.trials[failed[0]].message.partition(":")[0]
    np.savez(path, x=x, y=np.arange(20) % 2)
    try:
        seen = After(99, crash)
        found = resume_sweep(
            tmp_path / "s", executor="serial", observer=seen, retry_failed=retry_failed
        )
    finally:
        Path(path).unlink()
    assert seen.seen == (failed if retry_failed else [])
    assert {trial.status for trial in found.trials} == (
        {"finished"} if retry_failed else {"finished", "failed"}
    )
    first, *repeats = (found.trials[index] for index in failed)
    assert first.same_as is None and {trial.same_as for trial in repeats} == {first.index}


def test_a_finished_sweep_that_goes_on_has_nothing_to_do(whole, tmp_path):
    shutil.copytree(whole.directory, tmp_path / "s")
    before = (tmp_path / "s" / "final" / "log.txt").read_text()
    found = resume_sweep(tmp_path / "s", executor="serial")
    assert table(found) == table(whole)
    assert (tmp_path / "s" / "final" / "log.txt").read_text() == before


@pytest.mark.parametrize("torn", ['{"index": 7, "param', '{"index": 7}\n', "\x00\x00", "{}"])
def test_a_torn_line_is_cut_and_its_trial_run_again(whole, tmp_path, torn):
    shutil.copytree(whole.directory, tmp_path / "s")
    rows = tmp_path / "s" / "trials.jsonl"
    lines = rows.read_text().splitlines(keepends=True)
    rows.write_text("".join(lines[:5]) + torn)
    assert table(resume_sweep(tmp_path / "s", executor="serial")) == table(whole)
    assert sorted(json.loads(line)["index"] for line in rows.read_text().splitlines()) == list(
        range(8)
    )


def test_a_changed_file_is_told(whole, tmp_path):
    shutil.copytree(whole.directory, tmp_path / "s")
    rows = tmp_path / "s" / "trials.jsonl"
    text = rows.read_text()
    twice = text + text.splitlines()[2] + "\n"
    for spoiled, said in (
        (text.replace('"index": 3', '"indx": 3'), "trials.jsonl:4: is no trial"),
        (twice, "trial 2 stands there twice"),
    ):
        rows.write_text(spoiled)
        with pytest.raises(RunError, match=said):
            resume_sweep(tmp_path / "s", executor="serial")


def test_a_grid_is_every_combination(tmp_path):
    space = {
        "optimizer.lr": {"min": 0.01, "max": 0.03, "step": 0.01},
        "model.hidden": {"values": [[2], [3]]},
    }
    found = sweep(
        spec(method="grid", parameters=space, trials=None),
        output_directory=tmp_path,
        executor="serial",
    )
    assert [tuple(trial.parameters.values()) for trial in found.trials] == [
        (lr, [h]) for lr in (0.01, 0.02, 0.03) for h in (2, 3)
    ]
    part = sweep(
        spec(method="grid", parameters=space, trials=2),
        output_directory=tmp_path,
        executor="serial",
    )
    assert [trial.parameters for trial in part.trials] == [
        trial.parameters for trial in found.trials[:2]
    ]


@pytest.mark.parametrize(("executor", "workers"), [("serial", 1), ("local", 3)])
def test_a_setting_that_repeats_takes_the_first_ones_result(tmp_path, executor, workers):
    found = sweep(
        spec(parameters={"model.hidden": {"values": [[2], [3]]}}),
        output_directory=tmp_path,
        executor=executor,
        workers=workers,
    )
    firsts = {}
    for trial in found.trials:
        first = firsts.setdefault(str(trial.parameters), trial)
        assert trial.same_as == (None if trial is first else first.index)
        assert (trial.metric, trial.run_directory, trial.seconds == 0) == (
            first.metric,
            first.run_directory,
            trial is not first,
        )
    assert len(firsts) == 2 and len(found.ranking) == 2
    assert sorted(path.name for path in (Path(found.directory) / "trials").iterdir()) == sorted(
        f"{t.index:03}" for t in firsts.values()
    )


def test_trials_that_come_to_nothing_are_recorded_and_the_sweep_goes_on(tmp_path):
    space = {"optimizer.lr": {"values": [0.01, 0.1]}, "model": {"values": [
        {"type": "mlp", "hidden": [3]},
        {"type": "mlp", "hidden": [1000000, 1000000]},
        {"type": "sequential", "layers": [{"type": "dense", "units": 7}]},
    ]}}  # fmt: skip
    found = sweep(
        spec(method="grid", parameters=space, trials=None),
        output_directory=tmp_path,
        executor="local",
        workers=2,
    )
    assert [trial.status for trial in found.trials] == ["finished", "out_of_memory", "failed"] * 2
    assert "out of memory" in found.trials[1].message and found.trials[2].message.startswith(
        "model: gives rows of shape (7,)"
    )
    assert found.best.index in (0, 3) and found.test is not None
    assert [trial.metric is None for trial in found.trials] == [False, True, True] * 2


def test_a_setting_that_is_no_configuration_is_a_failed_trial(tmp_path):
    space = {
        "optimizer.type": {"values": ["adam", "momentum"]},
        "optimizer.beta": {"values": [0.9]},
    }
    found = sweep(
        spec(method="grid", parameters=space, trials=None),
        output_directory=tmp_path,
        executor="serial",
    )
    assert [trial.status for trial in found.trials] == ["failed", "finished"]
    assert "optimizer.beta: unknown key 'beta'" in found.trials[0].message


def test_a_sweep_without_a_winner_says_so(tmp_path):
    space = {"model.hidden": {"values": [[1000000, 1000000]]}}
    found = sweep(spec(parameters=space, trials=1), output_directory=tmp_path, executor="serial")
    assert (found.best, found.test, as_json(found)["best"]) == (None, None, None)
    assert not (Path(found.directory) / "best.yaml").exists()


def test_repeats_differ_in_their_seeds_and_share_the_rows(tmp_path):
    found = sweep(
        spec(repeats=3, trials=2, metric="validation_accuracy"),
        output_directory=tmp_path,
        executor="local",
        workers=2,
    )
    for trial in found.trials:
        folders = [
            Path(found.directory) / trial.run_directory / f"repeat-{number}" for number in (1, 2, 3)
        ]
        assert [load(folder / "config.yaml").seed for folder in folders] == [0, 1, 2]
        assert (
            len(
                {
                    json.dumps(
                        {
                            part: sorted(rows)
                            for part, rows in rows_of(folder / "splits.npz").items()
                        }
                    )
                    for folder in folders
                }
            )
            == 1
        )
        scores = [
            json.loads((folder / "summary.json").read_text())["metrics"]["validation"]["accuracy"]
            for folder in folders
        ]
        assert trial.scores == scores and trial.metric == pytest.approx(np.mean(scores), rel=1e-15)
    single = sweep(
        spec(trials=2, metric="validation_accuracy"), output_directory=tmp_path, executor="serial"
    )
    assert [trial.scores[0] for trial in found.trials] == [trial.metric for trial in single.trials]
    final = load(Path(found.directory) / "final" / "config.yaml")
    assert (
        final.training.epochs == max(1, int(np.mean(found.best.best_epochs) + 0.5))
        and final.seed == 0
    )


def test_folds_leave_the_test_part_alone_and_score_every_other_row(tmp_path):
    found = sweep(
        spec(cross_validation=3, trials=2), output_directory=tmp_path, executor="local", workers=2
    )
    single = sweep(spec(trials=1), output_directory=tmp_path, executor="serial")
    outer = rows_of(Path(single.directory) / single.best.run_directory / "splits.npz")
    for trial in found.trials:
        folds = [
            rows_of(Path(found.directory) / trial.run_directory / f"fold-{number}" / "splits.npz")
            for number in (1, 2, 3)
        ]
        scored = [row for fold in folds for row in fold["test"]]
        assert sorted(scored) == sorted(outer["train"] | outer["validation"])
        assert (
            trial.metric == pytest.approx(np.mean(trial.scores), rel=1e-15)
            and len(trial.scores) == 3
        )
    assert rows_of(Path(found.directory) / "final" / "splits.npz") == {
        "train": outer["train"] | outer["validation"],
        "test": outer["test"],
    }
    again = sweep(spec(cross_validation=3, trials=2), output_directory=tmp_path, executor="serial")
    assert table(again) == table(found)


def test_a_run_that_goes_wrong_ends_its_trial(tmp_path):
    space = {"model.hidden": {"values": [[1000000, 1000000], [3]]}}
    found = sweep(
        spec(method="grid", repeats=3, parameters=space, trials=None),
        output_directory=tmp_path,
        executor="serial",
    )
    assert [trial.status for trial in found.trials] == ["out_of_memory", "finished"]
    assert found.trials[0].message.startswith("run 1: out of memory")
    assert not (Path(found.directory) / "trials" / "000" / "repeat-2").exists()


class Pruner(Proposer):
    """Tries the rates in turn, and gives up every trial but the first after its second epoch."""

    def __init__(self):
        self.told, self.recalled, self.asked = [], [], []

    def ask(self, index):
        return {"optimizer.lr": 0.01 * (index + 1)} if index < 3 else None

    def tell(self, index, status, value):
        self.told.append((index, status, value))

    def recall(self, index, setting, status, value, reports):
        self.recalled.append((index, list(reports)))

    def should_prune(self, index, epoch, value):
        self.asked.append((index, epoch))
        return index > 0 and epoch >= 2


@pytest.mark.parametrize("changes", [{}, {"repeats": 2}])
def test_a_trial_that_is_given_up_does_not_win(tmp_path, monkeypatch, changes):
    proposer = Pruner()
    monkeypatch.setattr("nettrain.search.sweep.sweep.proposer_for", lambda sweep: proposer)
    base = BASE | {"training": {"epochs": 50, "batch_size": 10}}
    changes = {
        "base": base,
        "early_terminate": "median",
        "metric": "train_loss",
        "trials": 9,
    } | changes
    found = sweep(spec(**changes), output_directory=tmp_path, executor="serial")
    assert [trial.status for trial in found.trials] == ["finished", "pruned", "pruned"]
    assert found.best.index == 0 and [len(trial.scores) for trial in found.trials] == [
        changes.get("repeats", 1),
        1,
        1,
    ]
    assert proposer.asked == [(0, epoch) for epoch in range(1, 51)] + [
        (1, 1),
        (1, 2),
        (2, 1),
        (2, 2),
    ]
    assert [told[:2] for told in proposer.told] == [(0, "finished"), (1, "pruned"), (2, "pruned")]
    resume_sweep(found.directory, executor="serial")
    assert proposer.recalled == [(0, list(range(1, 51))), (1, [1, 2]), (2, [1, 2])]


def test_two_sweeps_cannot_work_on_one_directory(whole, tmp_path):
    shutil.copytree(whole.directory, tmp_path / "s")
    (tmp_path / "s" / "trials.jsonl").unlink()

    def another():
        with pytest.raises(RunError, match="another process"):
            resume_sweep(tmp_path / "s", executor="serial")

    seen = After(1, another)
    (tmp_path / "s" / ".trials.csv.4711.tmp").write_text("what a kill left half written")
    resume_sweep(tmp_path / "s", executor="serial", observer=seen)
    assert len(seen.seen) == 8
    assert not list((tmp_path / "s").glob(".*.tmp"))


def test_a_signal_stops_the_sweep_and_says_how_to_go_on(whole, tmp_path):
    stop = After(3, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted) as caught:
        sweep(spec(), output_directory=tmp_path, run_name="s", executor="serial", observer=stop)
    assert str(caught.value) == f"interrupted; to resume: nettrain sweep --resume {tmp_path / 's'}"
    assert caught.value.exit_code == 130
    assert len((tmp_path / "s" / "trials.csv").read_text().splitlines()) == 4
    assert table(resume_sweep(tmp_path / "s", executor="serial")) == table(whole)


@pytest.mark.parametrize(("changes", "error", "said"), [
    ({"metric": "validation_r2"}, ConfigError, "metric.name: validation_r2 is no metric of classification"),
    ({"metric": "validation_r2", "cross_validation": 2}, ConfigError, "metric.name: r2 is no metric of classification"),
    ({"base": BASE | {"dataset": {"source": "xor", "split": "none"}}}, ConfigError, "metric.name: validation_loss needs a validation part"),
    ({"base": BASE | {"dataset": {"source": "xor", "split": "none"}}, "cross_validation": 2, "early_terminate": "median"}, ConfigError, "early_terminate: "),
    ({"base": BASE | {"dataset": {"source": {"type": "csv", "path": "none.csv", "target": "y"}}}}, DataError, "none.csv: no such file"),
])  # fmt: skip
def test_what_only_the_data_tells_is_told_before_anything_is_written(
    tmp_path, changes, error, said
):
    with pytest.raises(error) as caught:
        sweep(spec(**changes), output_directory=tmp_path, executor="serial")
    assert said in str(caught.value) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("trials", "said"), [(3, "--trials 3: .* holds 8 trials already"), (8, None)]
)
def test_a_sweep_cannot_become_shorter(whole, tmp_path, trials, said):
    shutil.copytree(whole.directory, tmp_path / "s")
    if said is None:
        assert len(resume_sweep(tmp_path / "s", trials=trials, executor="serial").trials) == 8
    else:
        with pytest.raises(ConfigError, match=said):
            resume_sweep(tmp_path / "s", trials=trials, executor="serial")


def test_a_run_that_is_no_sweep_cannot_go_on(whole):
    with pytest.raises(RunError, match="is not a sweep directory"):
        resume_sweep(Path(whole.directory) / "trials" / "000")
    with pytest.raises(RunError, match="there is no such sweep directory"):
        resume_sweep(Path(whole.directory) / "none")


def test_only_the_documented_keys_are_printed(whole):
    found = as_json(whole)
    keys = ["index", "parameters", "metric", "status", "seconds", "run_directory"]
    assert list(found) == ["directory", "trials", "best", "test"] and list(found["best"]) == keys
    assert all(list(trial) == keys for trial in found["trials"])


class Backwards(Serial):
    """An executor that takes all jobs at once and makes the last one first."""

    slots = 4

    def __init__(self):
        super().__init__()
        self.held = []

    def submit(self, job):
        self.held.append(job)

    def next_event(self, timeout=None):
        if self._thread is None or not self._thread.is_alive():
            super().submit(self.held.pop())
        while not isinstance(event := super().next_event(timeout), Ended):
            assert event is None or isinstance(event, Reported)
        self._thread = None
        return event


def test_the_order_in_which_runs_end_changes_nothing_but_the_order_of_lines(whole, tmp_path):
    with Backwards() as executor:
        found = sweep(spec(), output_directory=tmp_path, executor=executor)
    assert table(found) == table(whole)
    lines = [
        json.loads(line)["index"]
        for line in (Path(found.directory) / "trials.jsonl").read_text().splitlines()
    ]
    assert lines != sorted(lines)
