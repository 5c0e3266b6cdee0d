"""Cross-validation as a whole: what is trained on what, what comes out, that nothing depends on how it is run, and how it goes on."""

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.config.load import load
from nettrain.errors import ConfigError, DataError, Diverged, RunError
from nettrain.inspection.statistics.corrected_t import t_quantile
from nettrain.search.cv.cross_validation import cross_validate, resume_cross_validation
from nettrain.search.executors.base import Ended, Job
from nettrain.search.executors.serial import Serial
from nettrain.search.final_run import final_config
from nettrain.search.observer import Observer
from nettrain.search.run_group import RunFailed, RunGroup
from nettrain.training.artifacts.run_directory import RunDirectory

ROWS = 60


def write_table(folder, spoil=()):
    """60 rows of two classes, 12 groups; `spoil`: rows whose features are made absurd."""
    random = np.random.Generator(np.random.PCG64(0))
    lines = ["a,b,who,amount,kind"]
    for row in range(ROWS):
        code = row % 2
        a, b = random.normal(code, 1), random.normal(-code, 1)
        if row in spoil:
            a, b = 1000.0, -1000.0
        lines.append(f"{a:.4f},{b:.4f},{row // 5},{a - b:.4f},{'xy'[code]}")
    (folder / "t.csv").write_text("\n".join([*lines, ""]))


def configuration(folder, **changes):
    dataset = {
        "source": {
            "type": "csv",
            "path": str(folder / "t.csv"),
            "target": "kind",
            "ignore": ["who", "amount"],
        },
        "split": {"validation": 0.2, "test": 0.2},
    }
    given = {
        "name": "t",
        "dataset": dataset,
        "model": {"type": "mlp", "hidden": [4]},
        "training": {"epochs": 6, "batch_size": 8},
        "optimizer": {"type": "adam", "lr": 0.05},
        "early_stopping": {"patience": 2},
    }
    return load(given | changes)


@pytest.fixture
def table(tmp_path):
    write_table(tmp_path)
    return tmp_path


def run(config, folder, *, executor="serial", workers=None, **settings):
    return cross_validate(
        config,
        **({"folds": 3} | settings),
        executor=executor,
        workers=workers,
        output_directory=folder / "runs",
    )


def without_paths(result):
    """All that must not depend on how it was run."""
    found = json.loads(json.dumps(asdict(result)))
    for one in [found, *found["folds"], *([found["final"]] if found["final"] else [])]:
        one.pop("directory", None)
        one.pop("run_directory", None)
    return found


def predictions(result):
    with open(Path(result.directory) / "predictions.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_each_fold_is_scored_by_a_network_of_the_others_and_the_scores_are_averaged(table):
    """GOLDEN 27: train on k - 1 folds, validate on the other, average; then evaluate once on the test data."""
    result = run(configuration(table), table, final=True)
    scored = []
    for one in result.folds:
        model = nettrain.load(one.run_directory)
        data = model.training_data
        trained = set(data.rows["train"]) | set(data.rows["validation"])
        assert not trained & set(data.rows["test"]) and len(trained) == 32
        assert model.evaluation(data.datasets["test"]).metrics == one.metrics
        scored += data.rows["test"].tolist()
    final = nettrain.load(result.final.run_directory).training_data.rows
    assert sorted(scored) == final["train"].tolist() and set(final) == {"train", "test"}
    assert not set(final["test"]) & set(scored)
    accuracies = [one.metrics["accuracy"] for one in result.folds]
    assert result.mean["accuracy"] == pytest.approx(np.mean(accuracies))
    assert result.std["accuracy"] == pytest.approx(np.std(accuracies, ddof=1))
    half = t_quantile(0.975, 2) * np.sqrt((1 / 3 + 1 / 2) * np.var(accuracies, ddof=1))
    assert result.interval["accuracy"] == pytest.approx(
        [max(np.mean(accuracies) - half, 0), min(np.mean(accuracies) + half, 1)]
    )
    assert (
        result.final.metrics
        == nettrain.load(result.final.run_directory)
        .evaluation(nettrain.load(result.final.run_directory).training_data.datasets["test"])
        .metrics
    )


def test_the_result_is_the_same_for_any_executor_and_number_of_workers(table):
    config = configuration(table)
    results = [
        run(config, table, executor=executor, workers=workers, repeats=2, final=True)
        for executor, workers in (("serial", None), ("local", 1), ("local", 2))
    ]
    assert without_paths(results[0]) == without_paths(results[1]) == without_paths(results[2])
    texts = [(Path(result.directory) / "predictions.csv").read_text() for result in results]
    assert texts[0] == texts[1] == texts[2]
    assert [Path(result.directory).name for result in results] == ["t-cv", "t-cv-2", "t-cv-3"]


def test_transforms_are_fitted_on_the_rows_that_a_fold_trains_on(table):
    result = run(
        configuration(
            table,
            dataset={
                "source": {
                    "type": "csv",
                    "path": str(table / "t.csv"),
                    "target": "kind",
                    "ignore": ["who", "amount"],
                },
                "transforms": ["standardize"],
            },
        ),
        table,
    )
    for one in result.folds:
        model = nettrain.load(one.run_directory)
        numbers = model.training_data.datasets["train"].features.numbers
        made = model.pipeline.part(model.training_data.datasets["train"], "float64").x
        np.testing.assert_allclose(
            made, (numbers - numbers.mean(axis=0)) / numbers.std(axis=0), rtol=1e-9
        )


def test_the_test_part_has_no_influence_before_the_final_run(table):
    config = configuration(table)
    first = run(config, table, final=True)
    test = nettrain.load(first.final.run_directory).training_data.rows["test"]
    write_table(table, spoil=set(test.tolist()))
    second = run(config, table, final=True)
    assert second.mean == first.mean and second.folds[0].metrics == first.folds[0].metrics
    assert second.final.metrics != first.final.metrics
    plain = run(config, table)
    assert (
        plain.final is None
        and plain.mean == first.mean
        and "stays untouched; --final" in plain.notes[0]
    )


def test_predictions_of_every_row_agree_with_the_figures(table):
    result = run(configuration(table), table, repeats=2)
    rows = predictions(result)
    assert [int(row["row"]) for row in rows] == 2 * sorted(
        {int(row["row"]) for row in rows}
    ) and len(rows) == 2 * 48
    assert list(rows[0]) == [
        "row",
        "repeat",
        "fold",
        "target",
        "prediction",
        "probability_x",
        "probability_y",
    ]
    for one in result.folds:
        own = [
            row for row in rows if (int(row["repeat"]), int(row["fold"])) == (one.repeat, one.fold)
        ]
        assert np.mean([row["target"] == row["prediction"] for row in own]) == pytest.approx(
            one.metrics["accuracy"]
        )
        assert all(row["target"] == "xy"[int(row["row"]) % 2] for row in own)


def test_predictions_of_values_have_targets_in_their_units(table):
    source = {
        "type": "csv",
        "path": str(table / "t.csv"),
        "target": ["amount", "b"],
        "ignore": ["who", "kind"],
    }
    result = run(configuration(table, dataset={"source": source}), table)
    rows = predictions(result)
    assert list(rows[0]) == [
        "row",
        "repeat",
        "fold",
        "target_amount",
        "target_b",
        "prediction_amount",
        "prediction_b",
    ]
    errors = [
        abs(float(row["target_b"]) - float(row["prediction_b"]))
        + abs(float(row["target_amount"]) - float(row["prediction_amount"]))
        for row in rows
        if row["fold"] == "1"
    ]
    assert np.mean(errors) / 2 == pytest.approx(result.folds[0].metrics["mae"], rel=1e-6)


def test_an_autoencoder_s_rows_are_compared_with_themselves(table):
    source = {"type": "csv", "path": str(table / "t.csv"), "features": ["a", "b"]}
    result = run(
        configuration(
            table,
            dataset={"source": source, "target": "self"},
            model={"type": "mlp", "hidden": [1]},
        ),
        table,
    )
    assert list(predictions(result)[0])[3:] == [
        "target_a",
        "target_b",
        "prediction_a",
        "prediction_b",
    ]


@pytest.mark.parametrize("restore", [True, False])
def test_predictions_come_from_the_weights_that_are_scored(table, restore):
    result = run(
        configuration(table, early_stopping={"patience": 1, "restore_best": restore}), table
    )
    for one in result.folds:
        own = [row for row in predictions(result) if row["fold"] == str(one.fold)]
        loss = -np.mean([np.log(float(row[f"probability_{row['target']}"])) for row in own])
        assert loss == pytest.approx(one.metrics["log_loss"], rel=1e-6)


def test_fit_makes_a_fold_again_from_its_configuration(table):
    result = run(configuration(table), table)
    again = nettrain.train(
        Path(result.folds[1].run_directory) / "config.yaml", output_directory=table
    )
    assert again.metrics["test"] == result.folds[1].metrics


def test_the_final_run_trains_the_folds_mean_best_epochs_without_early_stopping(table):
    changes = {
        "early_stopping": {"patience": 2, "monitor": "validation_accuracy"},
        "training": {"epochs": 9, "monitor": "validation_accuracy"},
        "schedule": {"type": "plateau", "monitor": "validation_loss"},
    }
    result = run(configuration(table, **changes), table, final=True)
    best = [
        json.loads((Path(one.run_directory) / "summary.json").read_text())["best_epoch"]
        for one in result.folds
    ]
    found = load(Path(result.final.run_directory) / "config.yaml")
    assert result.final.epochs == found.training.epochs == int(np.mean(best) + 0.5)
    assert (
        found.early_stopping is None
        and found.training.monitor is None
        and found.schedule.monitor is None
    )
    assert f"{found.training.epochs} epochs, the mean of the best epochs" in result.notes[0]


@pytest.mark.parametrize(
    ("best", "epochs"),
    [([1, 2, 2], 2), ([2, 3], 3), ([4, 4, 5], 4), ([4, 5], 5), ([None, 3], 3)],
    ids=str,
)
def test_the_mean_of_the_best_epochs_is_rounded_to_the_nearest(table, best, epochs):
    config = configuration(table)
    found, _ = final_config(config, best, own_validation=False, chose_epochs=True)
    assert found.training.epochs == epochs


def test_the_final_run_of_folds_that_choose_no_epoch_trains_as_long_as_they(table):
    config = configuration(table, early_stopping=None, schedule="cosine")
    config = load(config, ["dataset.split.validation=0.0"])
    result = run(config, table, final=True)
    assert result.final.epochs == 6 and result.notes == []


def test_a_schedule_that_depends_on_the_length_is_told_of(table):
    result = run(configuration(table, schedule="cosine"), table, final=True)
    assert any("the schedule cosine ends after those" in note for note in result.notes)


def test_the_final_run_with_a_validation_source_is_as_the_folds(tmp_path):
    config = load(
        {
            "name": "m",
            "dataset": {
                "source": {"type": "moons", "rows": 40},
                "validation_source": {"type": "moons", "rows": 20},
                "test_source": {"type": "moons", "rows": 30},
            },
            "model": {"type": "mlp", "hidden": [3]},
            "training": {"epochs": 3},
            "early_stopping": {"patience": 2},
        }
    )
    result = run(config, tmp_path, folds=2, final=True)
    rows = nettrain.load(result.final.run_directory).training_data.rows
    assert {part: len(found) for part, found in rows.items()} == {
        "train": 40,
        "validation": 20,
        "test": 30,
    }
    assert load(Path(result.final.run_directory) / "config.yaml").early_stopping is not None


@pytest.mark.parametrize("how", [("serial", None), ("local", 2)], ids=str)
def test_groups_that_only_the_option_names_stay_together_and_are_no_feature(table, how):
    config = load(configuration(table), ["dataset.source.ignore=amount"])
    result = run(config, table, executor=how[0], workers=how[1], group="who", final=True)
    for one in [*result.folds, result.final]:
        model = nettrain.load(one.run_directory)
        assert model.names == ("a", "b")
    for one in result.folds:
        rows = nettrain.load(one.run_directory).training_data.rows
        groups = [{row // 5 for row in found.tolist()} for found in rows.values()]
        assert sum(map(len, groups)) == len(set.union(*groups))


PLUGIN = """
from dataclasses import dataclass

from nettrain.nn.activation import Activation


@dataclass(frozen=True)
class Halved(Activation):
    def apply(self, x):
        return x * 0.5
"""


def test_a_user_s_own_component_is_known_in_every_fold(table):
    (table / "own.py").write_text(PLUGIN)
    config = load(with_plugin(table), allow_plugins=True)
    results = [
        run(config, table, executor=executor, workers=workers, final=True, allow_plugins=True)
        for executor, workers in (("serial", None), ("local", 2))
    ]
    assert without_paths(results[0]) == without_paths(results[1])
    assert (
        nettrain.load(
            results[1].folds[0].run_directory, allow_plugins=True
        ).config.model.activation.name()
        == "halved"
    )


def with_plugin(folder):
    source = {
        "type": "csv",
        "path": str(folder / "t.csv"),
        "target": "kind",
        "ignore": ["who", "amount"],
    }
    return {
        "name": "t",
        "plugins": [str(folder / "own.py")],
        "dataset": {"source": source, "split": {"test": 0.2}},
        "model": {"type": "mlp", "hidden": [3], "activation": "halved"},
        "training": {"epochs": 2},
    }


def test_repeats_have_other_folds_and_other_first_weights(table):
    result = run(configuration(table), table, folds=2, repeats=2)
    assert [Path(one.run_directory).name for one in result.folds] == [
        "repeat-1-fold-1",
        "repeat-1-fold-2",
        "repeat-2-fold-1",
        "repeat-2-fold-2",
    ]
    seeds = [nettrain.load(one.run_directory).config.seed for one in result.folds]
    assert seeds == [0, 0, 1, 1]
    losses = [one.metrics["loss"] for one in result.folds]
    half = t_quantile(0.975, 3) * np.sqrt(
        (1 / 4 + 1 / 1) * np.var(losses, ddof=1)
    )  # a fold scores as many rows as it trains on
    assert result.interval["loss"] == pytest.approx(
        [max(np.mean(losses) - half, 0), np.mean(losses) + half]
    )


BAD = {
    "one fold": ({"folds": 1}, {}, ConfigError, "--folds: expected 2 or more, got 1"),
    "no repeat": ({"repeats": 0}, {}, ConfigError, "--repeats: expected 1 to 1,024, got 0"),
    "more repeats than runs have room": ({"repeats": 1025}, {}, ConfigError, "1,024, got 1025"),
    "no test part": (
        {"final": True},
        {"split": {"validation": 0.2}},
        ConfigError,
        "--final: there is no test part",
    ),
    "too many folds": ({"folds": 40}, {}, DataError, "rows for 40 folds"),
    "no such group": ({"group": "whom"}, {}, DataError, "no column 'whom'; did you mean 'who'?"),
    "stratified groups": (
        {"group": "who", "stratify": True},
        {"ignore": []},
        ConfigError,
        "--group and --stratify cannot be used",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_cross_validated_says_why_and_leaves_nothing(table, case):
    settings, changes, kind, said = BAD[case]
    config = configuration(table)
    dataset = asdict(config.dataset)["split"] | changes.get("split", {})
    split = {
        "validation": dataset["validation"],
        "test": 0.0 if "split" in changes else dataset["test"],
    }
    config = load(
        config,
        [
            f"dataset.split={json.dumps(split)}",
            *(["dataset.source.ignore=amount"] if "group" in settings else []),
        ],
    )
    with pytest.raises(kind) as caught:
        run(config, table, **settings)
    assert said in str(caught.value) and not (table / "runs").exists()


def test_a_fold_that_diverges_ends_the_whole_with_its_name(table):
    with pytest.raises(Diverged, match="fold-1: "), np.errstate(all="ignore"):
        run(configuration(table, optimizer={"type": "sgd", "lr": 1e30}, loss="hinge"), table)


def test_an_explicit_name_that_exists_is_an_error(table):
    with Serial() as executor:
        cross_validate(
            configuration(table),
            folds=2,
            executor=executor,
            output_directory=table / "runs",
            run_name="mine",
        )
    with (
        pytest.raises(RunError, match="exists already; choose another --run-name"),
        Serial() as executor,
    ):
        cross_validate(
            configuration(table),
            folds=2,
            executor=executor,
            output_directory=table / "runs",
            run_name="mine",
        )


def test_going_on_runs_only_what_is_not_finished_and_gives_the_same(table, seen):
    whole = run(configuration(table), table, repeats=2, final=True)
    directory = Path(whole.directory)
    kept = RunDirectory(directory / "repeat-1-fold-2").best.stat().st_mtime_ns
    (directory / "repeat-2-fold-1" / "summary.json").unlink()
    for name in ("summary.json", "predictions.csv", "final/summary.json"):
        (directory / name).unlink()
    observer = seen()
    again = resume_cross_validation(directory, executor="serial", observer=observer)
    assert again == whole and observer.names == ["repeat-2-fold-1", "final"]
    assert RunDirectory(directory / "repeat-1-fold-2").best.stat().st_mtime_ns == kept


def test_going_on_with_other_data_or_no_cross_validation_is_refused(table):
    result = run(configuration(table), table)
    write_table(table, spoil={3})
    with pytest.raises(RunError, match="the data has changed since"):
        resume_cross_validation(result.directory, executor="serial")
    with pytest.raises(RunError, match="is not a cross-validation directory"):
        resume_cross_validation(table, executor="serial")


def test_resuming_beside_a_process_at_work_is_refused_and_does_it_no_harm(table, seen):
    """The refused process must not remove a fold that the other has finished."""

    def resume_too():
        directory = table / "runs" / "t-cv"
        with pytest.raises(RunError, match="another process is training into it"):
            resume_cross_validation(directory, executor="serial")
        assert (directory / "fold-1" / "summary.json").is_file()

    observer = seen(resume_too)
    result = cross_validate(
        configuration(table),
        folds=3,
        executor="serial",
        output_directory=table / "runs",
        observer=observer,
    )
    assert observer.names == ["fold-1", "fold-2", "fold-3"] and len(result.folds) == 3


def test_arrays_in_memory_are_cross_validated_like_a_file_of_them(table):
    random = np.random.Generator(np.random.PCG64(1))
    x, y = random.normal(size=(40, 2)), np.array(["no", "yes"], dtype=object)[np.arange(40) % 2]
    config = {"model": {"type": "mlp", "hidden": [3]}, "training": {"epochs": 2}}
    options = {"folds": 2, "output_directory": table, "executor": "local", "workers": 2}
    result = cross_validate(config, (x, y), **options)
    np.savez(table / "same.npz", x=x, y=y.astype(str))
    source = {"type": "npz", "path": str(table / "same.npz")}
    same = cross_validate(config | {"dataset": {"source": source}}, **options)
    assert result.mean == same.mean and Path(result.directory, "data.npz").is_file()
    assert resume_cross_validation(result.directory, executor="serial") == result


@pytest.mark.parametrize(("data", "said"), [
    ((np.ones((4, 2)), np.ones(3)), "data: x has 4 rows and y has 3"),
    ((np.ones((4, 2)),), r"data: expected \(x, y\) or \(x, y, weights\), got 1 arrays"),
    ((np.ones((4, 2)), np.array(["a", "b", "a", "b"])), "ask for 4 at most"),
])  # fmt: skip
def test_arrays_that_cannot_be_used_leave_nothing(table, data, said):
    config = {"model": {"type": "mlp", "hidden": [3]}}
    with pytest.raises(DataError, match=said):
        cross_validate(config, data, folds=5, output_directory=table / "runs", executor="serial")
    assert not (table / "runs" / "run-cv").exists()


def test_a_run_that_is_killed_too_often_is_a_failure_of_its_own():
    class Broken(Serial):
        def next_event(self, timeout=None):
            return Ended(0, "killed", None, "its process ended with signal SIGKILL, 3 times", 0.1)

        def submit(self, job):
            pass

    with (
        pytest.raises(
            RunFailed, match="fold-1: killed: its process ended with signal SIGKILL"
        ) as caught,
        Broken() as executor,
    ):
        RunGroup(Path("runs"), executor, Observer(), "").run_required(
            [Job(0, {}, "runs", "fold-1")]
        )
    assert caught.value.exit_code == 1


@pytest.mark.slow
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT", "SIGTERM"])
def test_killed_and_gone_on_with_it_gives_the_same_as_undisturbed(table, how, children, gone):
    config = configuration(table, training={"epochs": 150, "batch_size": 4}, early_stopping=None)
    whole = run(config, table, folds=6, executor="local", workers=2)
    (table / "c.yaml").write_text((Path(whole.directory) / "base.yaml").read_text())
    command = [
        sys.executable,
        "-c",
        "from nettrain.cli.main import run; run()",
        "cv",
        str(table / "c.yaml"),
        "--folds",
        "6",
        "--run-name",
        "cut",
        "-o",
        str(table / "runs"),
        "--workers",
        "2",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=table, text=True)
    first = process.stderr.readline()
    below = children(process.pid)
    process.send_signal(getattr(signal, how))
    rest = process.communicate(timeout=240)[1]
    gone(below)
    assert (
        first.startswith("fold-")
        and process.returncode == {"SIGKILL": -signal.SIGKILL, "SIGINT": 130, "SIGTERM": 143}[how]
    )
    if how != "SIGKILL":
        assert "to resume: nettrain cv --resume" in rest
    again = resume_cross_validation(table / "runs" / "cut", executor="local", workers=2)
    assert without_paths(again) == without_paths(whole)
    assert os.path.exists(table / "runs" / "cut" / "predictions.csv")
