"""Losses that want targets of a certain kind, from the data to predictions: counts, probabilities, two classes."""

import json
from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain import streams
from nettrain.errors import NettrainError

X = streams.generator(0, "targets").normal(size=(120, 2))
RATES = np.exp(1 + X[:, 0])
COUNTS = np.array(
    [streams.generator(i, "count").poisson(rate) for i, rate in enumerate(RATES)], dtype=float
)
SHARES = np.exp(np.stack([X[:, 0], X[:, 1], 0 * X[:, 0]], axis=1))
SHARES /= SHARES.sum(axis=1, keepdims=True)
SIDES = np.where(X[:, 0] > X[:, 1], "above", "below")


def config(loss, **dataset):
    return {
        "dataset": {"source": "memory", "split": "none", **dataset},
        "model": {"type": "mlp", "hidden": []},
        "loss": loss,
        "optimizer": {"type": "adam", "lr": 0.05},
        "training": {"epochs": 60},
    }


@pytest.fixture
def trained(tmp_path):
    def run(loss, y, **dataset):
        return nettrain.load(
            nettrain.train(config(loss, **dataset), (X, y), output_directory=tmp_path).run_directory
        )

    return run


def test_poisson_learns_the_rates_of_counts_in_their_own_unit(trained):
    model = trained("poisson", COUNTS)
    assert model.task == "regression" and model.config.dataset.target_transforms == ()
    found = model.predict(X)
    assert (found > 0).all()
    np.testing.assert_allclose(np.log(found), np.log(RATES), atol=0.25)


def test_kl_divergence_learns_probabilities(trained):
    model = trained("kl_divergence", SHARES)
    found = model.predict(X)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(found, SHARES, atol=0.02)
    assert model.evaluate(X, SHARES)["loss"] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    "loss",
    ["logistic", "perceptron", "hinge", "focal", {"type": "cross_entropy", "label_smoothing": 0.1}],
)
def test_losses_of_classes_separate_two_of_them(trained, loss):
    model = trained(loss, SIDES)
    assert (model.predict(X) == SIDES).mean() > 0.95
    p = model.probabilities(X)
    assert p.shape == (120, 2) and np.allclose(p.sum(axis=1), 1)


@pytest.mark.parametrize("loss", ["mae", "huber", "quantile"])
def test_losses_of_numbers_fit_a_line_in_its_own_unit(trained, loss):
    line = 300 + 40 * X[:, 0] - 25 * X[:, 1]
    assert trained(loss, line).evaluate(X, line)["mae"] < 4


def test_a_quantile_of_nine_tenths_lies_above_nine_tenths_of_the_targets(trained):
    noisy = 5 * X[:, 0] + streams.generator(0, "noise").normal(size=120)
    assert (
        noisy < trained({"type": "quantile", "q": 0.9}, noisy).predict(X)
    ).mean() == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize(
    ("loss", "y", "dataset", "message"),
    [
        ("poisson", np.where(np.arange(120) == 7, -3, COUNTS), {},
         "data: row 7: target 'target': -3 is no count, which is 0 or more, as the loss poisson needs; correct it, or use `loss: mse`"),
        ("kl_divergence", SHARES * 2, {}, "are no probabilities, which are 0 or more and sum to 1, as the loss kl_divergence needs"),
        ("kl_divergence", COUNTS, {}, "data: row 0: target 'target': a single column is no distribution: name one target column per class"),
        ("poisson", COUNTS, {"target_transforms": ["standardize"]},
         "dataset.target_transforms: the loss poisson takes targets as they are; leave it out"),
        ("poisson", SIDES, {}, "loss: poisson is for regression, but the target 'target' holds strings with 2 distinct values; use `loss: cross_entropy`"),
        ("kl_divergence", SIDES, {}, "loss: kl_divergence is for regression, but the target 'target' holds strings with 2 distinct values"),
        ("hinge", SHARES, {}, "loss: hinge is for classification, but the target 'target_0', 'target_1', 'target_2' holds 3 columns of"
         " numbers; use `loss: mse`"),
        ("logistic", np.arange(120) % 3, {}, "loss: logistic is for two classes, the target has 3; use `loss: cross_entropy`"),
    ],
)  # fmt: skip
def test_a_loss_that_cannot_take_the_target_says_so_and_writes_nothing(
    tmp_path, loss, y, dataset, message
):
    with pytest.raises(NettrainError) as raised:
        nettrain.train(config(loss, **dataset), (X, y), output_directory=tmp_path / "runs")
    assert message in str(raised.value)
    assert not (tmp_path / "runs").exists()


def test_evaluating_targets_that_the_loss_cannot_take_names_the_row(trained):
    with pytest.raises(NettrainError, match="x, y: row 1: target 'target': -1 is no count"):
        trained("poisson", COUNTS).evaluate(X[:2], np.array([1.0, -1.0]))


def test_raw_targets_stay_raw_when_the_resolved_configuration_is_used_again(trained, tmp_path):
    first = trained("poisson", COUNTS)
    again = nettrain.train(
        first.path.parents[1] / "config.yaml", (X, COUNTS), output_directory=tmp_path / "again"
    )
    summary = json.loads((Path(again.run_directory) / "summary.json").read_text())
    assert summary["metrics"]["train"]["loss"] == first.evaluate(X, COUNTS)["loss"]
