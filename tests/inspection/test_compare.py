"""Runs side by side: paired tests on the same rows, and none where rows or data differ."""

import json
import shutil

import numpy as np
import pytest

import nettrain
from nettrain.errors import ConfigError, NettrainError, RunError
from nettrain.inspection.compare import compare
from nettrain.inspection.comparison import Difference, adjusted
from nettrain.inspection.statistics.mcnemar import mcnemar_exact


def by_metric(comparison):
    return {one.metric: one for one in comparison.differences}


def test_runs_on_the_same_rows_are_tested_in_pairs(runs):
    comparison = compare([runs / "a", runs / "b"])
    a, b = comparison.runs
    assert comparison.notes == [] and a.rows == b.rows == 24
    assert comparison.config == {"training.epochs": [3, 5]}
    summary = json.loads((runs / "b" / "summary.json").read_text())["metrics"]["test"]
    assert b.metrics == summary and set(b.intervals) <= set(summary)
    found = by_metric(comparison)
    assert set(found) == set(summary)
    for name, one in found.items():
        assert one.difference == b.metrics[name] - a.metrics[name]
        assert one.adjusted == one.p_value
        if one.interval is not None:
            assert one.interval[0] <= one.difference <= one.interval[1]
    assert found["loss"].test == "paired bootstrap"


def test_accuracy_is_compared_by_mcnemar_on_the_rows(runs):
    models = [nettrain.load(runs / name) for name in "ab"]
    right = []
    for model in models:
        outcome = model.evaluation(model.training_data.datasets["test"]).outcome
        right.append(outcome.predicted == outcome.targets)
    expected = mcnemar_exact(int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum()))
    one = by_metric(compare([runs / "a", runs / "b"]))["accuracy"]
    assert (one.test, one.p_value) == ("McNemar exact", expected)


def test_the_order_of_two_runs_changes_only_the_sign(runs):
    forth = by_metric(compare([runs / "a", runs / "b"]))
    back = by_metric(compare([runs / "b", runs / "a"]))
    for name in forth:
        assert back[name].difference == -forth[name].difference
        assert back[name].p_value == forth[name].p_value


def test_another_part_can_be_compared(runs):
    comparison = compare([runs / "a", runs / "b"], part="validation")
    assert comparison.part == "validation" and comparison.runs[0].rows == 16
    with pytest.raises(ConfigError, match="--part tst: expected one of train, validation, test"):
        compare([runs / "a", runs / "b"], part="tst")


def test_runs_of_other_rows_are_shown_but_not_tested(runs):
    comparison = compare([runs / "a", runs / "c"])
    assert comparison.differences == [] and all(run.metrics for run in comparison.runs)
    assert "are not tested: their rows differ" in comparison.notes[0]
    assert "same dataset.seed and dataset.split" in comparison.notes[0]


def test_three_runs_are_corrected_by_holm(runs):
    shutil.copytree(runs / "b", runs / "d")
    comparison = compare([runs / "a", runs / "b", runs / "d"])
    ours = [one for one in comparison.differences if one.metric == "loss"]
    assert len(ours) == 3 and all(one.adjusted >= one.p_value for one in ours)
    equal = next(one for one in ours if one.first.endswith("b"))
    assert (equal.difference, equal.p_value, equal.interval) == (0.0, 1.0, None)


def test_the_correction_is_within_each_metric():
    def one(metric, p_value):
        return Difference(metric, "a", "b", 0.1, None, p_value, None, "test")

    found = adjusted([one("x", 0.01), one("y", 0.02), one("x", 0.04), one("y", None)])
    assert [difference.adjusted for difference in found] == [0.02, 0.02, 0.04, None]


def interrupted(run):
    (run / "summary.json").unlink()


def without_checkpoints(run):
    shutil.rmtree(run / "checkpoints")
    (run / "checkpoints").mkdir()


def data_gone(run):
    (run.parents[1] / "flowers.csv").unlink()


def data_changed(run):
    path = run.parents[1] / "flowers.csv"
    path.write_text(path.read_text().replace("rose", "rise"))


def damaged(run):
    (run / "checkpoints" / "best.safetensors").write_bytes(b"not a checkpoint")


CRIPPLED = {
    "interrupted": (interrupted, "was interrupted; its best checkpoint so far is shown", True),
    "no checkpoint": (without_checkpoints, "no checkpoint yet", False),
    "damaged": (damaged, "its metrics are those of its summary", False),
}


@pytest.mark.parametrize("case", CRIPPLED)
def test_what_can_be_shown_is_shown_and_what_cannot_is_named(runs, case):
    cripple, note, is_tested = CRIPPLED[case]
    cripple(runs / "a")
    comparison = compare([runs / "a", runs / "b"])
    assert note in comparison.notes[0] and comparison.notes[0].startswith(str(runs / "a"))
    assert bool(comparison.differences) == is_tested
    assert comparison.runs[0].metrics and comparison.runs[1].metrics


@pytest.mark.parametrize("change", [data_gone, data_changed])
def test_without_its_data_a_run_is_shown_by_its_summary(own_data, change):
    summary = json.loads((own_data / "a" / "summary.json").read_text())
    change(own_data / "a")
    comparison = compare([own_data / "a", own_data / "b"])
    assert comparison.differences == [] and len(comparison.notes) == 2
    assert all("cannot be measured again" in note for note in comparison.notes)
    assert comparison.runs[0].metrics == summary["metrics"]["test"]


@pytest.mark.parametrize(
    ("runs_of", "message"),
    [
        (["a"], "name two runs or more"),
        (["a", "a"], "is named twice"),
        (["a", "../runs/a"], "is named twice"),
        (["a", "aa"], "there is no such run directory"),
        (["a", "../flowers.csv"], "is a file"),
    ],
)
def test_what_cannot_be_compared_is_an_error(runs, runs_of, message):
    with pytest.raises(RunError, match=message):
        compare([runs / name for name in runs_of])


def test_a_sweep_is_refused_with_the_name_of_a_run_inside(runs, tmp_path):
    sweep = tmp_path / "sweep"
    shutil.copytree(runs / "a", sweep / "final")
    (sweep / "sweep.yaml").write_text("base: {}\n")
    with pytest.raises(NettrainError, match=r"is a sweep; name one of its runs, such as .*final"):
        compare([runs / "a", sweep])


def cross_validation(folder, accuracies, fingerprint="f", seed=0):
    folder.mkdir()
    (folder / "base.yaml").write_text(f"model: mlp\nseed: {seed}\n")
    division = {"folds": len(accuracies), "repeats": 1, "data_fingerprint": fingerprint}
    (folder / "cv.json").write_text(json.dumps(division))
    folds = []
    for place, accuracy in enumerate(accuracies, start=1):
        path = folder / f"fold-{place}"
        path.mkdir()
        np.savez(path / "splits.npz", test=np.arange(4) + 4 * place + 100 * seed)
        folds.append({"fold": place, "repeat": 1, "metrics": {"accuracy": accuracy}})
    mean = {"accuracy": float(np.mean(accuracies))}
    summary = {"directory": ".", "folds": folds, "mean": mean, "interval": {"accuracy": [0.1, 1]}}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def test_cross_validations_are_compared_over_their_folds(tmp_path):
    first = cross_validation(tmp_path / "first", [0.5, 0.6, 0.7, 0.6, 0.6])
    second = cross_validation(tmp_path / "second", [0.6, 0.72, 0.8, 0.7, 0.71])
    comparison = compare([first, second])
    [one] = comparison.differences
    assert (comparison.part, one.test) == ("folds", "corrected resampled t")
    assert one.difference == pytest.approx(0.106) and one.p_value < 0.01
    assert one.interval[0] < 0.106 < one.interval[1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fingerprint": "g"}, "their data differs"),
        ({"seed": 1}, "their folds hold other rows"),
        ({"accuracies": [0.5, 0.5]}, "they were divided otherwise (--folds 3 and 2)"),
    ],
)
def test_other_folds_are_not_tested(tmp_path, changes, reason):
    first = cross_validation(tmp_path / "first", [0.5, 0.6, 0.7])
    second = cross_validation(tmp_path / "second", **{"accuracies": [0.5, 0.6, 0.7]} | changes)
    comparison = compare([first, second])
    assert comparison.differences == [] and reason in comparison.notes[0]


def test_a_cross_validation_is_not_compared_with_a_run(runs, tmp_path):
    folder = cross_validation(tmp_path / "cv", [0.5, 0.6])
    with pytest.raises(RunError, match=r"is a cross-validation, .* is a run"):
        compare([runs / "a", folder])
    (folder / "summary.json").unlink()
    with pytest.raises(RunError, match="is interrupted; finish it: nettrain cv --resume"):
        compare([folder, cross_validation(tmp_path / "cv2", [0.5, 0.6])])
