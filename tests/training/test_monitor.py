"""Monitors: which metric decides what, and that one without a value decides nothing in silence."""

import numpy as np
import pytest

import nettrain
from nettrain.errors import ConfigError

X = nettrain.generator(0, "x").normal(size=(24, 3))
VALUES = X[:, 0] * 2
CLASSES = np.where(X[:, 0] > 0, "yes", "no")
ONE_CLASS = np.argsort(CLASSES, kind="stable")  # "no" first: validation rows of "yes" alone
UNDEFINED = {
    "r2 of one row": ("validation_r2", (X, VALUES), {"rows": {"train": [0, 23], "validation": [23, 24]}}),
    "auc of one class": (
        "validation_roc_auc", (X[ONE_CLASS], CLASSES[ONE_CLASS]),
        {"rows": {"train": [0, 20], "validation": [20, 24]}},
    ),
}  # fmt: skip
KEYS = {
    "training.monitor": lambda name: {"training": {"epochs": 9, "monitor": name}},
    "early_stopping.monitor": lambda name: {"early_stopping": {"monitor": name, "patience": 2}},
    "schedule.monitor": lambda name: {"schedule": {"type": "plateau", "monitor": name}},
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("case", UNDEFINED)
def test_a_metric_without_a_value_is_refused_in_the_first_epoch(tmp_path, case, key):
    name, data, split = UNDEFINED[case]
    epochs = []

    class Watch(nettrain.Callback):
        def epoch_end(self, run, row):
            epochs.append(row["epoch"])

    config = {
        "dataset": {"source": "memory", "split": split},
        "model": {"type": "mlp", "hidden": [3]},
    }
    with pytest.raises(ConfigError) as error:
        nettrain.train(
            config | KEYS[key](name), data, output_directory=tmp_path, callbacks=[Watch()]
        )
    assert str(error.value).startswith(f"{key}: {name} is not defined for the ")
    assert "monitor validation_loss, or give that part other rows" in str(error.value)
    assert epochs == []


@pytest.mark.parametrize(("monitor", "evaluated"), [
    ("train_loss", False), ("train_penalty", False), ("train_accuracy", True),
])  # fmt: skip
def test_the_training_part_is_evaluated_where_a_monitor_needs_it_and_not_otherwise(
    toy, data, tmp_path, log, monitor, evaluated
):
    result = nettrain.train(
        toy({"training.epochs": 2, "training.monitor": monitor}), data, output_directory=tmp_path
    )
    assert ("train_accuracy" in log(result.run_directory)[0]) is evaluated


@pytest.mark.parametrize(("monitor", "evaluated"), [
    ("train_loss", False), ("train_penalty", False), ("train_accuracy", True),
])  # fmt: skip
def test_a_callback_that_watches_a_metric_follows_the_same_rule(
    toy, data, tmp_path, log, monitor, evaluated
):
    class Watch(nettrain.Callback):
        def begin(self, run):
            self.monitor = run.watch("mine", monitor)

        def epoch_end(self, run, row):
            assert np.isfinite(self.monitor.value(row))

    result = nettrain.train(
        toy({"training.epochs": 2}), data, output_directory=tmp_path, callbacks=[Watch()]
    )
    assert ("train_accuracy" in log(result.run_directory)[0]) is evaluated


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"early_stopping": {"patience": 2}}, "ends the training"),
        ({"training.monitor": "train_loss"}, "chooses the best epoch"),
        (
            {"early_stopping": {"patience": 2, "monitor": "train_loss"}},
            "ends the training and chooses the best epoch",
        ),
        ({"training.monitor": "train_accuracy"}, None),
        ({}, None),
    ],
)
def test_it_is_a_warning_that_the_training_loss_decides(toy, data, tmp_path, changes, told):
    base = {"dataset.split": {"test": 0.25}, "training.epochs": 1, "early_stopping": None}
    result = nettrain.train(toy(base | changes), data, output_directory=tmp_path)
    warnings = [note for note in result.notes if note.startswith("warning: train_loss")]
    assert [warning.partition("train_loss ")[2].partition(":")[0] for warning in warnings] == (
        [told] if told else []
    )
