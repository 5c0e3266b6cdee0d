"""A trained model: predictions, probabilities and figures for raw arrays, for every task."""

from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain import streams
from nettrain.errors import DataError, NettrainError
from nettrain.inference.model import Model
from nettrain.training.artifacts.checkpoint import Checkpoint

X = streams.generator(0, "x").normal(size=(60, 3)) * [1, 10, 0.1] + [0, 50, 3]
SIGNS = X[:, 0] > 0
# Every task: targets, their loss, how often the model should be right or how near
TASKS = {
    "classes of numbers": (np.where(SIGNS, 7, 3), {}),
    "classes of texts": (np.where(SIGNS, "yes", "no"), {}),
    "three classes": (np.digitize(X[:, 0], [-0.5, 0.5]), {}),
    "one output": (np.where(SIGNS, "yes", "no"), {"loss": "binary_cross_entropy"}),
    "regression": (1000 + 300 * X[:, 0], {}),
    "several targets": (np.stack([1000 + 300 * X[:, 0], X[:, 1]], axis=1), {}),
    "labels": (np.stack([SIGNS, X[:, 1] > 50], axis=1).astype(int), {}),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """By task: the result of training and the model read from its directory."""
    folder, found = tmp_path_factory.mktemp("runs"), {}
    for name, (y, changes) in TASKS.items():
        config = {
            "name": name, "dataset": {"source": "memory", "split": {"validation": 0.25}}, "model": {"type": "mlp", "hidden": [8]},
            "optimizer": {"type": "adam", "lr": 0.03}, "training": {"epochs": 60, "batch_size": 15},
        }  # fmt: skip
        result = nettrain.train(config | changes, (X, y), output_directory=folder)
        found[name] = result, nettrain.load(result.run_directory)
    return found


def rows_of(result, part):
    with np.load(f"{result.run_directory}/splits.npz") as splits:
        return splits[part]


@pytest.mark.parametrize("name", TASKS)
def test_evaluating_the_rows_of_a_part_gives_the_figures_of_the_run(models, name):
    result, model = models[name]
    for part in ("train", "validation"):
        rows = rows_of(result, part)
        assert model.evaluate(X[rows], TASKS[name][0][rows]) == result.metrics[part]


@pytest.mark.parametrize("name", TASKS)
def test_predictions_have_the_form_of_the_targets_and_are_mostly_right(models, name):
    y, _ = TASKS[name]
    found = models[name][1].predict(X)
    assert found.shape == y.shape
    if models[name][1].task == "regression":
        assert (
            np.abs(found - y).mean(axis=0) < 0.5 * y.std(axis=0)
        ).all()  # in original units: 1000 is far off
    else:
        assert (found == y).mean() > 0.9


@pytest.mark.parametrize("dtype", [bool, int, np.uint8, np.int8, float, str, object])
def test_classes_come_back_in_the_type_in_which_they_went_in(tmp_path, dtype):
    y = np.where(SIGNS, "p", "q") if dtype in (str, object) else SIGNS
    config = {
        "name": "typed", "dataset": {"source": "memory", "split": "none"},
        "model": {"type": "mlp", "hidden": [4]}, "optimizer": {"type": "adam", "lr": 0.1}, "training": {"epochs": 60},
    }  # fmt: skip
    result = nettrain.train(config, (X, y.astype(dtype)), output_directory=tmp_path)
    found = nettrain.load(result.run_directory).predict(X)
    assert (found == y.astype(dtype)).mean() > 0.9
    assert found.dtype.kind == {"u": "i", "O": "U"}.get(np.dtype(dtype).kind, np.dtype(dtype).kind)


def test_a_checkpoint_without_a_type_of_labels_gives_strings_as_it_did(models):
    checkpoint = Checkpoint.read(
        Path(models["classes of numbers"][0].run_directory) / "checkpoints/best.safetensors"
    )
    del checkpoint.content["pipeline"]["schema"]["label_type"]
    model = Model(Path("old"), checkpoint)
    assert set(model.predict(X)) == {"3", "7"}


@pytest.mark.parametrize("name", TASKS)
def test_probabilities_are_of_classes_or_labels_and_decide_the_prediction(models, name):
    y, _ = TASKS[name]
    model = models[name][1]
    if model.task == "regression":
        with pytest.raises(
            NettrainError, match="a regression model has no probabilities: use predict"
        ):
            model.probabilities(X)
        return
    p = model.probabilities(X)
    assert ((p >= 0) & (p <= 1)).all()
    if model.task == "multilabel":
        assert np.array_equal(model.predict(X), p >= 0.5)
    else:
        assert p.shape == (60, len(np.unique(y)))
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-9)
        assert np.array_equal(
            model.predict(X).astype(str), np.array(model.classes)[p.argmax(axis=1)]
        )


@pytest.mark.parametrize("name", [name for name in TASKS if name != "one output"])
def test_rows_whose_prediction_overflows_are_named_instead_of_taken_for_a_class(models, name):
    x = X.copy()
    x[[4, 9]] = [2.5e38, 3e38, 2.5e37]
    told = r"row 4: the prediction is not finite \(rows like that: 2\): the features are too large"
    model = models[name][1]
    with pytest.raises(DataError, match=told):
        model.predict(x)
    with pytest.raises(DataError, match=told):
        model.evaluate(x, TASKS[name][0])


@pytest.mark.parametrize("name", TASKS)
def test_rows_do_not_depend_on_those_around_them(models, name):
    model = models[name][1]
    whole = model.predictions_of(model.rows(X))
    np.testing.assert_allclose(
        model.predictions_of(model.rows(X[[17]])), whole[[17]], rtol=1e-4, atol=1e-6
    )
    order = np.arange(60)[::-1]
    np.testing.assert_allclose(
        model.predictions_of(model.rows(X[order])), whole[order], rtol=1e-4, atol=1e-6
    )


def test_a_row_of_lists_and_of_integers_is_as_good_as_an_array(models):
    model = models["classes of texts"][1]
    assert model.predict([[2, 50, 3], [-2, 50, 3]]).tolist() == ["yes", "no"]


@pytest.mark.parametrize(("x", "said"), [
    (X[:, :2], "columns differ from those of training: missing"),
    (np.hstack([X, X[:, :1]])[:, :0], "no numbers in it"),
    (X[0], "columns differ from those of training"),
    (np.where(X[3, 1] == X, np.nan, X), "row 3: column 'column_1' is missing or NaN"),
    (np.where(X[3, 1] == X, np.inf, X), "row 3: column 'column_1' is infinite"),
    ([["a", "b", "c"]], "expected numbers, got an array of"),
    (X[:0], "no numbers in it"),
    (X.reshape(5, 12, 3), "the model was trained on a table of 3 columns"),
])  # fmt: skip
def test_features_that_differ_from_those_of_training_are_an_error_that_names_them(models, x, said):
    with pytest.raises(DataError) as error:
        models["three classes"][1].predict(x)
    assert said in str(error.value)


@pytest.mark.parametrize(("y", "said"), [
    (np.full(60, 9), "a class that training did not have (it had: '0', '1', '2')"),
    (np.zeros((60, 2)), "2 target columns, the model was trained on 1"),
    (np.zeros(59), "x has 60 rows and y has 59"),
])  # fmt: skip
def test_targets_that_differ_from_those_of_training_are_an_error(models, y, said):
    with pytest.raises(NettrainError) as error:
        models["three classes"][1].evaluate(X, y)
    assert said in str(error.value)


def test_a_checkpoint_stands_for_itself_and_a_run_directory_for_its_best(models):
    result, model = models["three classes"]
    assert model.path.name == "best.safetensors" and model.epoch == result.best_epoch
    last = nettrain.load(f"{result.run_directory}/checkpoints/last.safetensors")
    assert last.epoch == 60 and last.path.name == "last.safetensors"


def test_the_model_says_what_it_predicts_and_how_it_was_made(models):
    model = models["classes of texts"][1]
    assert (model.task, model.classes) == ("classification", ("no", "yes"))
    assert model.config.training.epochs == 60 and model.config.loss.name() == "cross_entropy"
