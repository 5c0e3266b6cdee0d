"""The learning rate range test."""

import csv

import numpy as np
import pytest

import nettrain
from nettrain.errors import ConfigError
from nettrain.inspection.lr_range_test import Curve, find_lr, suggest
from nettrain.training.train import prepare_run

PLAIN = {"regularization": {}, "early_stopping": None}


def curve(toy, data, **changes):
    return find_lr(prepare_run(toy(PLAIN | changes), data))


def test_the_rate_rises_by_a_constant_factor_whatever_the_schedule(toy, data):
    found = curve(
        toy, data, schedule={"type": "cosine", "warmup": 3}, optimizer={"type": "adam", "lr": 77.0}
    )
    assert found.rates[0] == pytest.approx(1e-6) and len(found.rates) <= 100
    np.testing.assert_allclose(np.diff(np.log(found.rates)), np.log(1e7) / 99, rtol=1e-9)
    assert len(found.losses) == len(found.smoothed) == len(found.rates)


def test_the_first_losses_are_those_of_training_in_its_own_order(toy, data, tmp_path, log):
    tiny = PLAIN | {"optimizer": {"type": "sgd", "lr": 1e-6}, "training.epochs": 2}
    nettrain.train(toy(tiny), data, output_directory=tmp_path)
    found = curve(toy, data, optimizer={"type": "sgd"})
    rows = np.array([8, 8, 8, 6])
    for epoch, row in enumerate(log(tmp_path / "toy")):
        assert (
            np.array(found.losses[4 * epoch : 4 * epoch + 4]) * rows
        ).sum() / 30 == pytest.approx(row["train_loss"], rel=1e-3)


def test_it_ends_where_the_loss_explodes(toy, data):
    found = curve(
        toy,
        data,
        optimizer={"type": "momentum"},
        model={"type": "mlp", "hidden": [64], "activation": "relu"},
    )
    assert len(found.rates) < 100 and np.isfinite(found.losses).all()


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "rmsprop", "lion"])
def test_what_it_suggests_trains_better_than_a_hundredth_of_it_and_does_not_diverge(
    toy, data, tmp_path, optimizer
):
    lr = curve(toy, data, optimizer=optimizer).suggestion
    configs = [
        toy(PLAIN | {"optimizer": {"type": optimizer, "lr": rate}}) for rate in (lr, lr / 100)
    ]
    found, slow = [
        nettrain.train(config, data, output_directory=tmp_path).metrics["train"]["loss"]
        for config in configs
    ]
    assert found < 0.9 * slow


def test_easy_and_hard_batches_do_not_hide_the_fall(toy):
    draw = np.random.Generator(np.random.PCG64(0))
    x = draw.normal(size=(60, 3)).astype(np.float32)
    y = (x @ [1.0, -2.0, 0.5]) * draw.choice([0.01, 1.0, 30.0], 60)  # batches of unlike losses
    found = find_lr(
        prepare_run(
            {
                "model": "tabular",
                "training": {"batch_size": 4, "kernels": "numpy"},
                "dataset": {"source": "memory", "split": "none"},
            },
            (x, y),
        )
    )
    assert found.smoothed[0] == pytest.approx(found.smoothed[10], rel=0.01)
    assert found.suggestion is not None and 1e-4 < found.suggestion < 0.1


@pytest.mark.parametrize(("smoothed", "expected"), [
    ([], None),
    ([1.0] * 50, None),
    ([1.0] * 30 + [0.9, 0.5, 0.6, 3.0], 31),
    ([1.0] * 30 + [0.9, 0.5, 0.6, 3.0], 31),
    ([0.9, 1.1, 1.0] * 10 + [0.4, 0.5], 30),
])  # fmt: skip
def test_the_suggestion_is_a_tenth_of_the_rate_of_the_lowest_loss(smoothed, expected):
    rates = np.geomspace(1e-6, 10, 100)[: len(smoothed)].tolist()
    if expected is None:
        assert suggest(rates, smoothed) is None
    else:
        assert suggest(rates, smoothed) == pytest.approx(rates[expected] / 10, rel=0.05)


def test_the_curve_is_saved_as_csv_and_never_over_another(tmp_path):
    found = Curve([1e-3, 1e-2], [0.5, 0.25], [0.5, 0.4], None)
    paths = [found.write(tmp_path / "runs", "digits") for _ in range(3)]
    assert [path.name for path in paths] == [
        "digits-find-lr.csv",
        "digits-find-lr-2.csv",
        "digits-find-lr-3.csv",
    ]
    assert list(csv.DictReader(paths[0].read_text().splitlines())) == [
        {"step": "1", "lr": "0.001", "loss": "0.5", "smoothed": "0.5"}, {"step": "2", "lr": "0.01", "loss": "0.25", "smoothed": "0.4"}
    ]  # fmt: skip


def test_an_optimizer_that_searches_has_no_rate_to_find(toy, data):
    with pytest.raises(
        ConfigError,
        match="optimizer: lbfgs chooses its steps itself: there is no rate to find for it",
    ):
        curve(toy, data, optimizer="lbfgs", **{"training.batch_size": None})
