"""The first epoch, batch and tensor at which two runs part."""

import shutil

import numpy as np
import pytest

import nettrain
from nettrain.errors import RunError
from nettrain.inspection.diff import diff
from nettrain.inspection.first_difference import (
    first_epoch_difference,
    first_tensor_difference,
)


def again(runs, name, *sets):
    config = runs / "a" / "config.yaml"
    nettrain.train(config, sets=sets, output_directory=runs, run_name=name)
    return runs / name


def test_equal_runs_are_equal(runs):
    result = diff(runs / "a", again(runs, "same"), replay=True)
    assert result.equal and result.batch is None and result.config == {} and result.data is False
    assert "same weights after each batch of 3 epochs" in result.notes[0]


def test_runs_of_another_rate_part_after_the_first_batch(runs):
    result = diff(runs / "a", again(runs, "fast", "optimizer.lr=0.01"), replay=True)
    assert not result.equal and result.config == {"optimizer.lr": (0.001, 0.01)}
    assert result.epoch.epoch == 1 and "train_loss" in result.epoch.values
    assert (result.batch.epoch, result.batch.batch) == (1, 1)
    assert result.batch.tensor.name == "parameters.dense_1.w"
    assert set(result.tensors) == {"best", "last"}


def test_runs_that_part_later_part_there(runs):
    schedule = "schedule={type: piecewise, boundaries: [2], factors: [1, 0.5]}"
    result = diff(runs / "a", again(runs, "later", schedule), replay=True)
    assert result.epoch.epoch == 3 and (result.batch.epoch, result.batch.batch) == (3, 1)


def test_other_initial_weights_part_before_the_first_batch(runs):
    result = diff(runs / "a", runs / "c", replay=True)
    assert (result.batch.epoch, result.batch.batch) == (1, 0)
    assert result.config == {"seed": (0, 1)} and result.parts == ["train", "validation", "test"]


def test_another_architecture_parts_in_the_shapes(runs):
    result = diff(runs / "a", again(runs, "wide", "model.hidden=[5]"), replay=True)
    assert result.batch.tensor.what == "shape (2, 4) and (2, 5)"


def test_a_longer_run_agrees_as_far_as_the_shorter_goes(runs):
    result = diff(runs / "a", runs / "b")
    assert result.epoch is None and result.epochs == (3, 5) and not result.equal


def test_what_is_missing_is_named(runs):
    shutil.rmtree(runs / "a" / "checkpoints")
    (runs / "b" / "summary.json").unlink()
    (runs / "b" / "environment.json").unlink()
    result = diff(runs / "a", runs / "b")
    assert result.data is None and result.tensors == {}
    assert any("b: was interrupted" in note for note in result.notes)
    assert sum("has no" in note for note in result.notes) == 2


@pytest.mark.parametrize("second", ["a", "../runs/a"])
def test_one_run_twice_is_an_error(runs, second):
    with pytest.raises(RunError, match="is named twice"):
        diff(runs / "a", runs / second)


ONE = np.ones(3, np.float32)
TENSORS = {
    "a value": ({"a": ONE}, {"a": ONE * 2}, "3 of 3 values differ, by 1 at most"),
    "a shape": ({"a": ONE}, {"a": ONE[:2]}, "shape (3,) and (2,)"),
    "a dtype": ({"a": ONE}, {"a": ONE.astype(float)}, "dtype float32 and float64"),
    "only the second": ({}, {"a": ONE}, "only the second has it"),
    "the sign of zero": ({"a": ONE * 0}, {"a": ONE * -0.0}, "only the signs of zeros"),
    "NaN": ({"a": ONE}, {"a": ONE * np.nan}, "3 of 3 values differ, by nan at most"),
    "whole numbers": ({"a": np.arange(3)}, {"a": np.arange(3) * 2}, "2 of 3 values differ, by 2"),
}


@pytest.mark.parametrize("case", TENSORS)
def test_the_difference_of_two_tensors_is_described(case):
    first, second, what = TENSORS[case]
    assert what in first_tensor_difference(first, second).what


def test_the_first_tensor_is_the_first_layer_s():
    first = {f"parameters.{name}.w": ONE for name in ("conv_1", "conv_2", "conv_10", "dense_1")}
    second = {name: value * 2 for name, value in first.items()} | {"optimizer.m": ONE}
    assert first_tensor_difference(first, second).name == "parameters.conv_1.w"
    order = ("dense_1.w", "conv_1.w")
    found = first_tensor_difference(first, second, order)
    assert (found.name, found.tensors) == ("parameters.dense_1.w", 5)
    del first["parameters.conv_1.w"], second["parameters.conv_1.w"]
    assert first_tensor_difference(first, second).name == "parameters.conv_2.w"
    assert first_tensor_difference({"a": ONE * np.nan}, {"a": ONE * np.nan}) is None


@pytest.mark.parametrize(
    ("first", "second", "epoch"),
    [
        ([{"epoch": 1, "x": 1.0, "seconds": 1}], [{"epoch": 1, "x": 1.0, "seconds": 2}], None),
        ([{"epoch": 1, "x": None}], [{"epoch": 1, "x": None}], None),
        ([{"epoch": 1, "x": 1.0}], [{"epoch": 1}], 1),
        ([{"epoch": 1}, {"epoch": 2, "x": 1}], [{"epoch": 1}, {"epoch": 2, "x": 2}], 2),
        ([{"epoch": 1}], [], None),
    ],
)
def test_the_first_epoch_is_the_first_whose_metrics_differ(first, second, epoch):
    found = first_epoch_difference(first, second)
    assert (None if found is None else found.epoch) == epoch
