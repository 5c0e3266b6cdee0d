"""The settings of a model stand under what a configuration says."""

import pytest

from nettrain.component import Component, find, names, to_mapping
from nettrain.config.dump import dump
from nettrain.config.load import load
from nettrain.errors import ConfigError
from nettrain.nn.architecture import Architecture
from nettrain.nn.loss import Loss
from nettrain.training.train import prepare_run

SETTINGS = find(Architecture, "realmlp").settings
OWN = SETTINGS["optimizer"]


def loaded(fields, *sets):
    return load({"dataset": {"source": "digits"}} | fields, sets)


def fields_of(component: Component, keys):
    return {key: to_mapping(component)[key] for key in keys}


@pytest.mark.parametrize(
    ("fields", "sets", "optimizer", "epochs"),
    [
        ({"model": "realmlp"}, [], {"type": "adamw", "lr": 0.04, "beta2": 0.95}, 256),
        ({"model": {"type": "realmlp", "hidden": [8]}}, [], {"lr": 0.04}, 256),
        (
            {"model": "realmlp", "optimizer": {"lr": 0.1}},
            [],
            {"type": "adamw", "lr": 0.1, "beta2": 0.95},
            256,
        ),
        ({"model": "realmlp", "optimizer": "sgd"}, [], {"type": "sgd"}, 256),
        (
            {"model": "realmlp", "optimizer": {"type": "adam", "lr": 0.1}},
            [],
            {"type": "adam", "beta2": 0.999},
            256,
        ),
        (
            {"model": "realmlp", "training": {"epochs": 3}},
            ["optimizer.lr=0.2"],
            {"lr": 0.2, "beta2": 0.95},
            3,
        ),
        ({"model": "mlp"}, ["model=realmlp"], {"type": "adamw", "lr": 0.04}, 256),
        ({"model": {"type": "mlp"}}, ["model.type=realmlp"], {"type": "adamw"}, 256),
        ({"model": "realmlp"}, ["model=mlp", "optimizer.lr=0.2"], {"type": "adam", "lr": 0.2}, 30),
        ({"model": "mlp"}, [], {"type": "adam", "beta2": 0.999}, 30),
    ],
)
def test_what_a_configuration_says_stands_over_the_settings_of_its_model(
    fields, sets, optimizer, epochs
):
    config = loaded(fields, *sets)
    assert fields_of(config.optimizer, optimizer) == optimizer
    assert config.training.epochs == epochs


def test_what_is_dumped_is_complete_and_gives_the_same_again(tmp_path):
    config = loaded({"model": "realmlp", "regularization": {"dropout": 0.0}})
    (tmp_path / "c.yaml").write_text(dump(config))
    again = load(tmp_path / "c.yaml")
    assert again == config
    assert again.regularization.dropout == 0.0


def test_loading_leaves_the_settings_as_they_are():
    loaded({"model": "realmlp", "optimizer": {"lr": 7.0}})
    assert SETTINGS["optimizer"] is OWN
    assert OWN["lr"] == 0.04


@pytest.mark.parametrize("name", names(Architecture))
def test_the_settings_of_every_model_are_valid_beside_it(name):
    fields = {"layers": ["flatten", {"type": "dense"}]} if name == "sequential" else {}
    if name == "cnn":
        fields = {"blocks": [{"filters": 2}]}
    loaded({"model": {"type": name} | fields})


@pytest.mark.parametrize("model", ["nothing", 7, {"type": ["realmlp"]}, {"hidden": [3]}, None])
def test_a_model_that_does_not_exist_is_named_as_ever(model):
    with pytest.raises(ConfigError, match="model"):
        loaded({"model": model})


def test_an_error_in_what_the_model_brings_names_it():
    with pytest.raises(ConfigError) as error:
        loaded({"model": "realmlp", "optimizer": "lbfgs"})
    (problem,) = error.value.problems
    assert problem.startswith("settings of the model: training.batch_size: the optimizer lbfgs")


@pytest.mark.parametrize(
    ("task", "activation", "rate", "loss"),
    [
        ("classification", "selu", 1.0, {"type": "cross_entropy", "label_smoothing": 0.1}),
        ("multilabel", "selu", 1.0, None),
        ("regression", "mish", 5.0, None),
    ],
)
def test_realmlp_settles_by_the_task(task, activation, rate, loss):
    model = Architecture.parse("realmlp").for_task(task)
    assert (model.activation.name(), model.learning_rate) == (activation, rate)
    assert model.default_loss(task) == (loss and Loss.parse(loss))
    assert {layer.learning_rate for layer in model.expand((3,), 1, 0.0)} == {
        0.1 * rate,
        6 * rate,
        rate,
    }
    chosen = Architecture.parse({"type": "realmlp", "activation": "relu", "learning_rate": 2.0})
    assert chosen.for_task(task) == chosen


def test_realmlp_clamps_numbers_and_leaves_classes_alone():
    for source, expected in (("sine", ["clamp", "standardize"]), ("iris", [])):
        run = prepare_run({"dataset": {"source": source}, "model": "realmlp"})
        assert [one.name() for one in run.config.dataset.target_transforms] == expected


def test_an_error_in_what_a_configuration_says_itself_does_not_name_the_model():
    with pytest.raises(ConfigError) as error:
        loaded({"model": "realmlp", "training": {"epochs": 0}, "optimizer": {"lr": -1.0}})
    assert not any("settings of the model" in problem for problem in error.value.problems)
