"""Ensembles from their configuration to their checkpoint: what members are trained on, what is reported, however it is run."""

import json
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.config.load import load, load_ensemble
from nettrain.errors import ConfigError, NettrainError, RunError
from nettrain.inference.voting import disagreement
from nettrain.metrics import all_metrics, outcome_of
from nettrain.search.ensembles import members as members_module
from nettrain.search.ensembles.boosting import boosting_round
from nettrain.search.ensembles.ensemble import ensemble as train_ensemble
from nettrain.search.ensembles.ensemble import resume_ensemble

ROWS = 80


def write_table(folder, shift=0.0):
    random = np.random.Generator(np.random.PCG64(3))
    x = random.normal(size=(ROWS, 2))
    kinds = np.array(list("xyz"))[(x[:, 0] > 0.2) * 1 + (x[:, 1] > 0.6)]
    lines = [
        f"{a:.4f},{b + shift:.4f},{1 + i % 3},{a - 2 * b:.4f},{kind}"
        for i, ((a, b), kind) in enumerate(zip(x, kinds, strict=True))
    ]
    (folder / "t.csv").write_text("\n".join(["a,b,w,amount,kind", *lines, ""]))


@pytest.fixture
def table(tmp_path):
    write_table(tmp_path)
    return tmp_path


def configuration(folder, ensemble=(), dataset=(), **changes):
    source = {
        "type": "csv",
        "path": str(folder / "t.csv"),
        "target": "kind",
        "features": ["a", "b"],
    }
    given = {
        "name": "t",
        "seed": 5,
        "dataset": {"source": source, "split": {"validation": 0.2, "test": 0.2}, **dict(dataset)},
        "model": {"type": "mlp", "hidden": [3]},
        "training": {"epochs": 5, "batch_size": 8},
        "optimizer": {"type": "adam", "lr": 0.05},
    }
    return load_ensemble(given | changes | {"ensemble": {"members": 3} | dict(ensemble)})


def run(config, folder, executor="serial", workers=None):
    return train_ensemble(
        config, executor=executor, workers=workers, output_directory=folder / "runs"
    )


def without_paths(result):
    found = json.loads(json.dumps(asdict(result)))
    for one in [found, *found["members"]]:
        for key in ("directory", "checkpoint", "run_directory"):
            one.pop(key, None)
    return found


def rows_of(member):
    with np.load(f"{member.run_directory}/splits.npz") as splits:
        return {part: splits[part] for part in splits}


METHODS = ("seeds", "bagging", "boosting")


@pytest.mark.parametrize("method", METHODS)
def test_the_checkpoint_is_evaluated_to_the_figures_that_are_reported(table, method):
    result = run(configuration(table, {"method": method}), table)
    model = nettrain.load(result.directory)
    assert str(model.path) == result.checkpoint and len(model.members) == len(result.members)
    for part, dataset in model.training_data.datasets.items():
        assert model.evaluation(dataset).metrics == result.metrics[part]
        said = model.member_predictions(dataset)
        assert result.disagreement[part] == disagreement(said, "classification")
        for place, one in enumerate(result.members):
            alone = nettrain.load(one.run_directory).predictions_of(dataset)
            assert np.array_equal(said[place], alone)
            assert one.metrics[part] == all_metrics(
                outcome_of("classification", model.truth(dataset), alone)
            )
        accuracies = [one.metrics[part]["accuracy"] for one in result.members]
        assert result.mean_member[part]["accuracy"] == pytest.approx(np.mean(accuracies))
    assert not model.data_changed and (result.out_of_bag is not None) == (method == "bagging")


@pytest.mark.parametrize("method", METHODS)
def test_the_result_is_the_same_for_any_executor_and_number_of_workers(table, method):
    config = configuration(table, {"method": method})
    results = [run(config, table, *how) for how in (("serial",), ("local", 1), ("local", 2))]
    assert without_paths(results[0]) == without_paths(results[1]) == without_paths(results[2])
    x = np.random.Generator(np.random.PCG64(9)).normal(size=(20, 2))
    found = [nettrain.load(result.directory).probabilities(x) for result in results]
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[1], found[2])


def test_seeds_share_rows_and_split_and_the_first_is_the_run_itself(table):
    config = configuration(table)
    result = run(config, table)
    splits = [rows_of(one) for one in result.members]
    assert all(
        np.array_equal(splits[0][part], one[part])
        for one in splits
        for part in ("train", "validation", "test")
    )
    assert [nettrain.load(one.run_directory).config.seed for one in result.members] == [5, 6, 7]
    alone = nettrain.train(config.base, output_directory=table)
    assert {
        name: figure for name, figure in alone.metrics["test"].items() if name != "loss"
    } == result.members[0].metrics["test"]
    assert result.members[0].metrics != result.members[1].metrics


def test_bagging_draws_bootstrap_samples_of_the_training_part_and_averages(table):
    """GOLDEN 28: bagging: bootstrap samples, average vote."""
    config = configuration(table, {"method": "bagging"})
    result = run(config, table)
    model = nettrain.load(result.directory)
    base = model.training_data.rows
    samples = [rows_of(one) for one in result.members]
    for sample in samples:
        assert len(sample["train"]) == len(base["train"]) and set(sample["train"]) < set(
            base["train"]
        )
        assert len(set(sample["train"])) < len(sample["train"])
        assert np.array_equal(sample["test"], base["test"]) and np.array_equal(
            sample["validation"], base["validation"]
        )
    assert not np.array_equal(samples[0]["train"], samples[1]["train"])
    x = np.random.Generator(np.random.PCG64(9)).normal(size=(20, 2))
    by_hand = np.mean(
        [nettrain.load(one.run_directory).probabilities(x) for one in result.members], axis=0
    )
    np.testing.assert_allclose(model.probabilities(x), by_hand, rtol=1e-6)


def test_out_of_bag_every_row_is_judged_by_those_that_have_not_seen_it(table):
    result = run(configuration(table, {"method": "bagging", "members": 4}), table)
    model = nettrain.load(result.directory)
    train, rows = model.training_data.datasets["train"], model.training_data.rows["train"]
    said, samples = (
        model.member_predictions(train).astype(np.float64),
        [set(rows_of(one)["train"]) for one in result.members],
    )
    judged, places = [], []
    for place, row in enumerate(rows):
        unseen = [m for m, sample in enumerate(samples) if row not in sample]
        if unseen:
            places.append(place)
            judged.append(said[unseen, place].mean(axis=0))
    outcome = outcome_of("classification", model.truth(train)[places], np.array(judged))
    assert result.out_of_bag.rows == len(places) < len(rows)
    assert result.out_of_bag.metrics == pytest.approx(all_metrics(outcome))


@pytest.mark.parametrize("weighted", [False, True])
def test_boosting_weighs_the_rows_that_were_wrong_and_the_votes(table, weighted):
    """GOLDEN 28: boosting: weights on hard examples, repeat, weighted vote."""
    source = {
        "type": "csv",
        "path": str(table / "t.csv"),
        "target": "kind",
        "features": ["a", "b"],
        "weights": "w" if weighted else [],
    }
    result = run(
        configuration(
            table,
            {"method": "boosting"},
            {"source": source},
            training={"epochs": 1, "batch_size": 8},
        ),
        table,
    )
    assert len(result.members) == 3 and result.vote == "majority"
    model = nettrain.load(result.directory)
    train, rows = model.training_data.datasets["train"], model.training_data.rows["train"]
    weights = np.ones(len(rows)) if train.weights is None else train.weights
    for one in result.members:
        run_ = nettrain.load(one.run_directory)
        np.testing.assert_allclose(
            run_.training_data.datasets["train"].weights, weights, rtol=1e-12
        )
        others = run_.training_data.datasets["test"].weights
        assert (
            others.tolist()
            == (
                model.training_data.datasets["test"].weights if weighted else np.ones(len(others))
            ).tolist()
        )
        found = boosting_round(
            weights, run_.predictions_of(train).argmax(axis=1) != train.target.values, 3
        )
        assert one.weight == found.weight
        weights = found.weights
    x = np.random.Generator(np.random.PCG64(9)).normal(size=(30, 2))
    votes = np.zeros((30, 3))
    for one in result.members:
        decided = nettrain.load(one.run_directory).probabilities(x).argmax(axis=1)
        votes[np.arange(30), decided] += one.weight
    assert np.array_equal(model.predict(x), np.array(model.classes)[votes.argmax(axis=1)])


@pytest.mark.parametrize("method", METHODS)
def test_fit_trains_a_member_again_from_its_configuration(table, method):
    result = run(configuration(table, {"method": method}), table)
    again = nettrain.train(
        Path(result.members[1].run_directory) / "config.yaml", output_directory=table
    )
    first, second = (
        nettrain.load(again.run_directory),
        nettrain.load(result.members[1].run_directory),
    )
    assert all(
        np.array_equal(first.network.vector.views[name], view)
        for name, view in second.network.vector.views.items()
    )


def test_a_file_of_weights_stays_in_force_under_boosting(table):
    np.save(table / "w.npy", np.linspace(0.5, 2, ROWS))
    result = run(
        configuration(table, {"method": "boosting"}, {"weights": str(table / "w.npy")}), table
    )
    loaded = nettrain.load(result.members[0].run_directory).training_data
    np.testing.assert_allclose(
        loaded.datasets["train"].weights, np.linspace(0.5, 2, ROWS)[loaded.rows["train"]]
    )


def test_boosting_ends_with_a_member_without_mistakes(table):
    two = load_ensemble(
        {
            "name": "s",
            "dataset": {"source": {"type": "moons", "rows": 60, "noise": 0.0}, "split": "none"},
            "model": {"type": "mlp", "hidden": [16]},
            "training": {"epochs": 60, "batch_size": 8},
            "optimizer": {"type": "adam", "lr": 0.05},
            "ensemble": {"method": "boosting", "members": 5},
        }
    )
    result = run(two, table)
    assert (
        len(result.members) == 1
        and "member-1, which is right on every training row" in result.notes[0]
    )
    assert result.metrics["train"]["accuracy"] == 1.0 and result.disagreement == {"train": None}


def test_boosting_ends_before_a_member_that_is_no_better_than_chance(table, monkeypatch):
    rounds = iter([boosting_round(np.ones(48), np.arange(48) < 10, 3), None])
    monkeypatch.setattr(members_module, "boosting_round", lambda *arguments: next(rounds))
    result = run(configuration(table, {"method": "boosting"}), table)
    assert (
        len(result.members) == 1
        and "ended before member-2, which is no better than chance" in result.notes[0]
    )


def test_boosting_a_network_that_learns_nothing_is_refused(table):
    (table / "same.csv").write_text("a,kind\n" + "1,x\n1,y\n" * 10)
    config = configuration(
        table,
        {"method": "boosting"},
        {"source": {"type": "csv", "path": str(table / "same.csv"), "target": "kind"}, "split": {}},
    )
    with pytest.raises(
        RunError,
        match=r"member-1: the first member is no better than chance .* ensemble\.method: bagging",
    ):
        run(config, table)


@pytest.mark.parametrize("method", ["seeds", "bagging"])
def test_values_are_averaged_in_their_units(table, method):
    source = {
        "type": "csv",
        "path": str(table / "t.csv"),
        "target": "amount",
        "features": ["a", "b"],
    }
    result = run(configuration(table, {"method": method}, {"source": source}), table)
    x = np.random.Generator(np.random.PCG64(9)).normal(size=(20, 2))
    said = np.array([nettrain.load(one.run_directory).predict(x) for one in result.members])
    np.testing.assert_allclose(
        nettrain.load(result.directory).predict(x), said.mean(axis=0), rtol=1e-6
    )
    assert result.disagreement["test"] > 0 and set(result.metrics["test"]) == {
        "mae",
        "mse",
        "r2",
        "rmse",
    }


@pytest.mark.parametrize("restore", [True, False])
def test_members_vote_with_the_weights_that_their_runs_are_scored_with(table, restore):
    result = run(
        configuration(table, early_stopping={"patience": 1, "restore_best": restore}), table
    )
    for one in result.members:
        summary = json.loads((Path(one.run_directory) / "summary.json").read_text())
        assert one.metrics["test"]["log_loss"] == pytest.approx(
            summary["metrics"]["test"]["log_loss"], rel=1e-12
        )


REFUSED = {
    "boosted values": (
        {"method": "boosting"},
        {"target": "amount"},
        {},
        "ensemble.method: boosting counts wrong classes",
    ),
    "a majority of values": (
        {"vote": "majority"},
        {"target": "amount"},
        {},
        "ensemble.vote: values have no majority; use mean",
    ),
    "class weights": (
        {"method": "boosting"},
        {},
        {"training": {"class_weights": "balanced"}},
        "training.class_weights: boosting weighs",
    ),
    "autoencoders": (
        {},
        {},
        {},
        "dataset.target: several autoencoders have outputs in units of their own",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_ensemble_says_why_and_leaves_nothing(table, case):
    ensemble, fields, changes, said = REFUSED[case]
    source = {
        "type": "csv",
        "path": str(table / "t.csv"),
        "target": "kind",
        "features": ["a", "b"],
    } | fields
    dataset = {"source": source} | ({"target": "self"} if case == "autoencoders" else {})
    with pytest.raises(ConfigError) as caught:
        run(configuration(table, ensemble, dataset, **changes), table)
    assert said in str(caught.value) and not (table / "runs").exists()


@pytest.mark.parametrize("method", METHODS)
def test_going_on_trains_only_what_is_not_finished_and_gives_the_same(table, method, seen):
    whole = run(configuration(table, {"method": method}), table)
    directory = Path(whole.directory)
    (directory / "member-3" / "summary.json").unlink()
    (directory / "summary.json").unlink()
    observer = seen()
    assert resume_ensemble(directory, executor="serial", observer=observer) == whole
    assert observer.names == ["member-3"]


def test_going_on_with_other_data_or_no_ensemble_is_refused(table):
    result = run(configuration(table), table)
    write_table(table, shift=1.0)
    with pytest.raises(RunError, match="the data has changed since"):
        resume_ensemble(result.directory, executor="serial")
    with pytest.raises(RunError, match="is not an ensemble directory"):
        resume_ensemble(table, executor="serial")


@pytest.mark.parametrize("method", METHODS)
def test_resuming_beside_a_process_at_work_is_refused_and_does_it_no_harm(table, method, seen):
    """The refused process must not remove a member that the other has finished."""

    def resume_too():
        directory = table / "runs" / "t-ensemble"
        with pytest.raises(RunError, match="another process is training into it"):
            resume_ensemble(directory, executor="serial")
        assert (directory / "member-1" / "summary.json").is_file()

    observer = seen(resume_too)
    train_ensemble(
        configuration(table, {"method": method}),
        executor="serial",
        output_directory=table / "runs",
        observer=observer,
    )
    assert observer.names == ["member-1", "member-2", "member-3"]


@pytest.mark.parametrize("method", METHODS)
def test_arrays_in_memory_are_trained_on_like_a_file_of_them(table, method):
    random = np.random.Generator(np.random.PCG64(1))
    x, y = random.normal(size=(60, 2)), np.array(["no", "yes"])[np.arange(60) % 2]
    weights = np.linspace(0.5, 1.5, 60)
    config = {
        "model": {"type": "mlp", "hidden": [8]},
        "training": {"epochs": 20},
        "optimizer": {"type": "adam", "lr": 0.05},
        "ensemble": {"members": 2, "method": method},
    }
    options = {"output_directory": table, "executor": "serial"}
    result = train_ensemble(config, (x, y, weights), **options)
    np.savez(table / "same.npz", x=x, y=y, w=weights)
    source = {"type": "npz", "path": str(table / "same.npz"), "weights": "w"}
    same = train_ensemble(config | {"dataset": {"source": source}}, **options)
    assert result.metrics == same.metrics
    assert np.array_equal(
        nettrain.load(result.directory).predict(x), nettrain.load(same.directory).predict(x)
    )


def test_fit_tells_whose_key_it_is(table):
    config = {
        "dataset": {"source": "xor"},
        "model": {"type": "mlp", "hidden": [2]},
        "ensemble": {"members": 3},
        "sed": 1,
    }
    with pytest.raises(ConfigError) as caught:
        load(config)
    assert len(caught.value.problems) == 2
    assert (
        "ensemble: this is the configuration of an ensemble: run it with `nettrain ensemble`"
        in str(caught.value)
    )
    result = run(configuration(table), table)
    with pytest.raises(NettrainError, match="run it with `nettrain ensemble`"):
        nettrain.train(Path(result.directory) / "config.yaml", output_directory=table)


@pytest.mark.parametrize(("ensemble", "said"), [
    ({"members": 1}, "ensemble.members: expected an integer from 2 to 1000, got 1"),
    ({"method": "bag"}, "ensemble.method: expected one of 'seeds', 'bagging', 'boosting'"),
    ({"vote": "veto"}, "ensemble.vote: "),
    ({"member": 3}, "ensemble.member: unknown key 'member'; did you mean 'members'?"),
])  # fmt: skip
def test_mistakes_in_the_key_are_told_with_their_line(tmp_path, ensemble, said):
    text = f"dataset: {{source: xor}}\nmodel: {{type: mlp, hidden: [2]}}\nensemble: {json.dumps(ensemble)}\nsed: 1\n"
    (tmp_path / "e.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_ensemble(tmp_path / "e.yaml")
    assert any(
        problem.startswith(f"{tmp_path / 'e.yaml'}:3: {said}") for problem in caught.value.problems
    )
    assert len(caught.value.problems) == 2


def test_extends_and_set_reach_the_key(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "dataset: {source: xor}\nmodel: {type: mlp, hidden: [2]}\nensemble: {members: 7}\n"
    )
    (tmp_path / "b.yaml").write_text("extends: a.yaml\nensemble: {method: bagging}\n")
    found = load_ensemble(tmp_path / "b.yaml", ["ensemble.vote=majority"])
    assert (found.ensemble.method, found.ensemble.members, found.ensemble.vote) == (
        "bagging",
        7,
        "majority",
    )
    assert (
        load_ensemble(
            {"dataset": {"source": "xor"}, "model": {"type": "mlp", "hidden": [2]}}
        ).ensemble.members
        == 10
    )


@pytest.mark.slow
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_killed_and_gone_on_with_it_gives_the_same_as_undisturbed(table, how, children, gone):
    config = configuration(table, {"members": 6}, training={"epochs": 150, "batch_size": 4})
    whole = run(config, table, "local", 2)
    command = [
        sys.executable,
        "-c",
        "from nettrain.cli.main import run; run()",
        "ensemble",
        f"{whole.directory}/config.yaml",
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
        first.startswith("member-")
        and process.returncode == {"SIGKILL": -signal.SIGKILL, "SIGINT": 130}[how]
    )
    assert how == "SIGKILL" or "to resume: nettrain ensemble --resume" in rest
    again = resume_ensemble(table / "runs" / "cut", executor="local", workers=2)
    assert without_paths(again) == without_paths(whole)


def test_members_keep_the_temperature_that_training_chose(table, tmp_path):
    config = configuration(table, ensemble={"members": 2}, training={"epochs": 5, "refine": True})
    made = train_ensemble(config, output_directory=tmp_path / "runs", executor="serial")
    model = nettrain.load(made.directory)
    alone = [nettrain.load(member.run_directory).temperature for member in made.members]
    assert [member.temperature for member in model.members] == alone and alone[0] != 1
