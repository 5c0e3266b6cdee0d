"""Several networks in one checkpoint: predictions and figures are those of the members combined by hand; damaged ones are refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import nettrain
from nettrain import streams
from nettrain.cli.main import app
from nettrain.errors import CheckpointError, ConfigError
from nettrain.inference.ensemble import ensemble_checkpoint
from nettrain.inference.voting import combined, disagreement
from nettrain.metrics import all_metrics, outcome_of
from nettrain.training.artifacts.checkpoint import Checkpoint

X = streams.generator(0, "x").normal(size=(60, 3))
TASKS = {
    "classes": np.where(X[:, 0] > 0.3, "yes", np.where(X[:, 1] > 0, "no", "maybe")),
    "values": 100 + 30 * X[:, 0],
    "targets": np.stack([100 + 30 * X[:, 0], X[:, 1]], axis=1),
    "labels": np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1).astype(int),
}
WEIGHTS = [1.0, 0.5, 2.0]


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """By task: three members, and a function that makes a checkpoint of them."""
    folder, found = tmp_path_factory.mktemp("members"), {}
    for name, y in TASKS.items():
        config = {
            "dataset": {"source": "memory", "split": "none"},
            "model": {"type": "mlp", "hidden": [4]},
            "training": {"epochs": 4, "monitor": "train_loss"},
        }
        runs = [
            nettrain.train(
                config | {"seed": seed}, (X[seed * 10 :], y[seed * 10 :]), output_directory=folder
            )
            for seed in range(3)
        ]
        paths = [Path(run.run_directory) / "checkpoints" / "best.safetensors" for run in runs]
        found[name] = paths
    return found


@pytest.fixture
def ensemble(members, tmp_path):
    def make(task, vote="mean", weights=WEIGHTS):
        checkpoints = [Checkpoint.read(path) for path in members[task]]
        path = tmp_path / f"{task}-{vote}.safetensors"
        ensemble_checkpoint(
            checkpoints, weights, vote, checkpoints[0].content["config"], "print"
        ).write(path)
        return path

    return make


def said(members, task):
    models = [nettrain.load(path) for path in members[task]]
    dataset = models[0].rows(X)
    return np.stack([model.predictions_of(dataset) for model in models])


@pytest.mark.parametrize("task", TASKS)
def test_the_mean_is_that_of_the_members_by_their_weights(members, ensemble, task):
    model = nettrain.load(ensemble(task))
    by_hand = np.tensordot(
        np.array(WEIGHTS) / sum(WEIGHTS), said(members, task).astype(np.float64), axes=1
    )
    found = model.predictions_of(model.rows(X))
    np.testing.assert_allclose(found, by_hand, rtol=1e-12)
    if task == "classes":
        np.testing.assert_allclose(model.probabilities(X), by_hand, rtol=1e-12)
        assert np.array_equal(model.predict(X), np.array(model.classes)[by_hand.argmax(axis=1)])
    elif task == "labels":
        assert np.array_equal(model.predict(X), by_hand >= 0.5)
    else:
        np.testing.assert_allclose(model.predict(X).reshape(60, -1), by_hand, rtol=1e-12)


@pytest.mark.parametrize("task", TASKS)
def test_the_figures_are_those_of_the_combined_predictions(ensemble, task):
    model = nettrain.load(ensemble(task))
    truth = TASKS[task]
    targets = (
        np.array([model.classes.index(name) for name in truth])
        if task == "classes"
        else truth.reshape(60, -1)
    )
    outcome = outcome_of(model.task, targets, model.predictions_of(model.rows(X)))
    assert model.evaluate(X, truth) == all_metrics(outcome) and "loss" not in model.evaluate(
        X, truth
    )


def test_the_majority_is_the_class_with_most_of_the_weight(members, ensemble):
    model = nettrain.load(ensemble("classes", "majority"))
    decided = said(members, "classes").argmax(axis=2)
    for row in range(60):
        votes = [
            sum(weight for weight, code in zip(WEIGHTS, decided[:, row], strict=True) if code == k)
            for k in range(3)
        ]
        assert model.predict(X)[row] == model.classes[int(np.argmax(votes))]
        np.testing.assert_allclose(model.probabilities(X)[row], np.array(votes) / 3.5)


def test_the_majority_of_labels_is_each_label_s_own(members, ensemble):
    model = nettrain.load(ensemble("labels", "majority", [1.0, 1.0, 1.0]))
    assert np.array_equal(model.predict(X), (said(members, "labels") >= 0.5).sum(axis=0) >= 2)


def test_an_ensemble_of_one_predicts_as_its_member(members, tmp_path):
    checkpoint = Checkpoint.read(members["classes"][0])
    ensemble_checkpoint([checkpoint], [3.0], "mean", checkpoint.content["config"], "print").write(
        tmp_path / "one.safetensors"
    )
    one, alone = nettrain.load(tmp_path / "one.safetensors"), nettrain.load(members["classes"][0])
    np.testing.assert_allclose(one.probabilities(X), alone.probabilities(X), rtol=1e-15)


def test_weights_by_row_leave_members_out():
    values = np.array([[[1.0], [10.0]], [[3.0], [30.0]]])
    assert combined(values, np.array([[1, 0], [1, 1]]), "mean", "regression").tolist() == [
        [2.0],
        [30.0],
    ]


def test_a_tie_goes_to_the_first_class():
    votes = np.array([[[0.1, 0.9]], [[0.9, 0.1]]])
    assert combined(votes, np.ones(2), "majority", "classification").argmax(axis=1).tolist() == [0]


DECISIONS = np.array([[0, 1, 2, 2], [0, 1, 0, 2], [0, 2, 1, 2]])  # 3 models, 4 rows


def test_disagreement_is_the_mean_over_pairs_of_the_share_that_differs():
    pairs = [(0, 1), (0, 2), (1, 2)]
    by_hand = np.mean([np.mean(DECISIONS[a] != DECISIONS[b]) for a, b in pairs])
    assert disagreement(np.eye(3)[DECISIONS], "classification") == pytest.approx(by_hand)
    labels = (np.arange(12).reshape(3, 2, 2) * 7 % 5 < 2).astype(float)
    by_hand = np.mean([np.mean(labels[a] != labels[b]) for a, b in pairs])
    assert disagreement(labels, "multilabel") == pytest.approx(by_hand)
    assert disagreement(np.array([[[1.0]], [[3.0]]]), "regression") == 1.0
    assert disagreement(labels[:1], "multilabel") is None


def test_eval_and_predict_take_it_like_any_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f"{a:.4f},{b:.4f},{'up' if a + b > 0 else 'down'}" for a, b in X[:, :2])
    (tmp_path / "t.csv").write_text(f"a,b,way\n{rows}\n")
    config = {
        "dataset": {
            "source": {"type": "csv", "path": "t.csv", "target": "way"},
            "split": {"test": 0.25},
        },
        "model": {"type": "mlp", "hidden": [4]},
        "training": {"epochs": 4, "monitor": "train_loss"},
    }
    runs = [
        nettrain.train(
            config | {"seed": seed, "name": "m"} | {"dataset": config["dataset"] | {"seed": 0}}
        )
        for seed in range(2)
    ]
    checkpoints = [
        Checkpoint.read(Path(run.run_directory) / "checkpoints" / "best.safetensors")
        for run in runs
    ]
    content = checkpoints[0].content
    ensemble_checkpoint(
        checkpoints, [1.0, 1.0], "mean", content["config"], content["data_fingerprint"]
    ).write(tmp_path / "e.safetensors")
    shown = CliRunner().invoke(app, ["eval", "e.safetensors", "--json"])
    assert shown.exit_code == 0, shown.output
    model = nettrain.load("e.safetensors")
    assert (
        json.loads(shown.stdout)["metrics"]
        == model.evaluation(model.training_data.datasets["test"]).metrics
    )
    assert (
        "confusion_matrix" in json.loads(shown.stdout)
        and json.loads(shown.stdout)["split"] == "test"
    )
    assert CliRunner().invoke(app, ["eval", "e.safetensors"]).exit_code == 0
    predicted = CliRunner().invoke(app, ["predict", "e.safetensors", "t.csv", "--probabilities"])
    assert predicted.exit_code == 0, predicted.output
    lines = predicted.stdout.splitlines()
    assert lines[0] == "prediction,probability,probability_down,probability_up"
    found = model.predictions_of(model.read(Path("t.csv"), with_target=False))
    np.testing.assert_allclose(
        [[float(cell) for cell in line.split(",")[2:]] for line in lines[1:]], found, rtol=1e-12
    )
    by_hand = np.mean(
        [
            part.predictions_of(part.read(Path("t.csv"), with_target=False))
            for part in (nettrain.load(run.run_directory) for run in runs)
        ],
        axis=0,
    )
    np.testing.assert_allclose(found, by_hand, rtol=1e-6)


def damaged(checkpoint, what):
    content, tensors = json.loads(json.dumps(checkpoint.content)), dict(checkpoint.tensors)
    if what == "no members":
        content["members"] = []
    elif what == "members are text":
        content["members"] = "three"
    elif what == "a weight too few":
        content["ensemble"]["weights"].pop()
    elif what == "a weight below 0":
        content["ensemble"]["weights"][0] = -1.0
    elif what == "all weights 0":
        content["ensemble"]["weights"] = [0.0, 0.0, 0.0]
    elif what == "another vote":
        content["ensemble"]["vote"] = "veto"
    elif what == "settings are a list":
        content["ensemble"] = []
    elif what == "a member without configuration":
        del content["members"][1]["config"]
    elif what == "a member without transforms":
        del content["members"][2]["pipeline"]
    elif what == "a tensor is missing":
        del tensors["members.1.parameters.dense_1.w"]
    elif what == "a tensor of another shape":
        tensors["members.1.parameters.dense_1.w"] = np.zeros((2, 2), np.float32)
    elif what == "no configuration":
        del content["config"]
    elif what == "members of other classes":
        content["members"][0]["pipeline"]["schema"]["classes"] = ["a", "b", "c"]
    return Checkpoint(tensors, {key: value for key, value in content.items() if key != "format"})


@pytest.mark.parametrize(
    "what",
    [
        "no members", "members are text", "a weight too few", "a weight below 0", "all weights 0", "another vote", "settings are a list",
        "a member without configuration", "a member without transforms", "a tensor is missing", "a tensor of another shape",
        "no configuration", "members of other classes",
    ],
)  # fmt: skip
def test_a_damaged_ensemble_is_refused(ensemble, tmp_path, what):
    damaged(Checkpoint.read(ensemble("classes")), what).write(tmp_path / "bad.safetensors")
    with pytest.raises(CheckpointError):
        nettrain.load(tmp_path / "bad.safetensors")


def test_an_ensemble_cut_short_is_refused(ensemble, tmp_path):
    whole = ensemble("classes").read_bytes()
    for size in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.safetensors").write_bytes(whole[:size])
        with pytest.raises(CheckpointError):
            nettrain.load(tmp_path / "cut.safetensors")


def test_a_run_cannot_begin_with_the_weights_of_an_ensemble(ensemble, tmp_path):
    config = {
        "dataset": {"source": "memory", "split": "none"},
        "model": {"type": "mlp", "hidden": [4]},
        "initialize_from": str(ensemble("classes")),
    }
    with pytest.raises(ConfigError, match=r"is of an ensemble.*name one of its members"):
        nettrain.train(config, (X, TASKS["classes"]), output_directory=tmp_path)
