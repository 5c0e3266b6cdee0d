"""The checks of the doctor on a healthy set-up, where they do not apply, and how they count chance."""

import itertools

import numpy as np
import pytest

import nettrain
from nettrain.diagnosis.constant_loss import best_constant, best_loss
from nettrain.inspection.doctor import class_order, more_data, one_batch
from nettrain.inspection.doctor.association import association
from nettrain.inspection.doctor.examine import CHECKS
from nettrain.inspection.doctor.paired import Difference, paired_difference
from nettrain.inspection.doctor.sample import draw_sample
from nettrain.inspection.doctor.setup import Setup
from nettrain.inspection.doctor.shuffled_source import learns_from_targets, shuffled_parts
from nettrain.nn.loss import Loss
from nettrain.training.train import prepare_run

SECONDS = 2.0


def layers(*listed):
    return {"type": "sequential", "layers": list(listed)}


@pytest.fixture(scope="module")
def healthy(set_up, blobs):
    return nettrain.doctor(set_up(), data=blobs(), seconds=SECONDS)


def test_a_healthy_set_up_is_left_in_peace(healthy):
    assert {one.status for one in healthy.findings} == {"ok"}, healthy.findings
    assert healthy.passed and not any(one.remedy for one in healthy.findings)


def test_every_check_says_something(healthy):
    assert len(healthy.findings) == len({one.name for one in healthy.findings}) == len(CHECKS)


def test_findings_depend_on_the_seed_alone(set_up, blobs, findings):
    chosen = ("one_batch", "against_baseline", "batch_order")
    once, again = (findings(set_up(), blobs(), *chosen) for _ in range(2))
    assert once == again
    assert findings(set_up(seed=1), blobs(), *chosen) != once


@pytest.mark.parametrize(
    ("changes", "rows", "module", "reason"),
    [
        (
            {"optimizer": "lbfgs", "training": {"epochs": 5, "batch_size": None}},
            240,
            "learning_rate",
            "chooses its steps itself",
        ),
        ({"dataset__split": {"validation": 0}}, 30, "against_baseline", "no validation part"),
        ({"loss": "mse"}, 240, "class_order", "the task is regression"),
        ({"dataset__target": "self"}, 240, "shuffled_labels", "the targets are the inputs"),
        ({"model": layers("dense"), "loss": "hinge"}, 240, "units", "no activation"),
        ({"loss": {"type": "quantile"}}, 240, "linear_model", "quantile"),
        (
            {"model": {"type": "mlp", "hidden": [], "initializer": "zeros"}},
            240,
            "initial_outputs",
            "begins with zeros",
        ),
        (
            {"model": layers({"type": "dense", "units": 1500}, {"type": "dense", "units": 1500}, "dense")},
            240,
            "zeroed_inputs",
            "--seconds",
        ),
    ],
)  # fmt: skip
def test_a_check_that_does_not_apply_says_why(
    set_up, findings, blobs, changes, rows, module, reason
):
    x, y = blobs(rows)
    data = x if changes.get("dataset__target") else (x, y)
    (found,) = findings(set_up(**changes), data, module)
    assert found.status == "skipped" and reason in found.message


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "mse"},
        {"optimizer": "lbfgs", "training": {"epochs": 5, "batch_size": None}},
        pytest.param(
            {"regularization": {"dropout": 0.5, "l2": 0.01}, "training__class_weights": "balanced"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"schedule": {"type": "plateau", "warmup": 1}, "training__ema": 0.9},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_other_set_ups_that_learn_pass(set_up, blobs, changes):
    examination = nettrain.doctor(set_up(**changes), data=blobs(), seconds=1)
    assert examination.passed, examination.with_status("failed")


@pytest.mark.parametrize("members", [1, 2])
def test_the_tabular_network_begins_with_units_that_differ(set_up, blobs, findings, members):
    model = {"type": "tabular", "hidden": [8], "members": members}
    found = findings(set_up(model=model), blobs(), "initial_weights")
    assert [one.status for one in found] == ["ok"]


def test_a_layer_may_begin_with_an_array_of_zeros_beside_another(set_up, blobs, findings):
    zeros = {"type": "dense", "units": 4, "initializer": "zeros"}
    model = layers({"type": "piecewise_linear_embedding", "size": 4}, zeros, "relu", "dense")
    (found,) = findings(set_up(model=model), blobs(), "initial_weights")
    assert found.status == "failed" and "all units of dense_1 begin" in found.message


def test_rows_are_held_out_where_there_is_no_validation_part(set_up, blobs, findings):
    found = findings(set_up(dataset__split={"validation": 0}), blobs(), "against_baseline")
    assert [one.status for one in found] == ["ok"]


def test_the_sample_is_of_training_and_validation_rows(set_up, blobs):
    run = prepare_run(set_up(dataset__split={"validation": 0.2, "test": 0.3}), blobs())
    drawn = draw_sample(run.parts, 50, seed=3)
    np.testing.assert_array_equal(drawn.train.x, run.parts["train"].x[drawn.train_rows])
    np.testing.assert_array_equal(
        drawn.validation.x, run.parts["validation"].x[drawn.validation_rows]
    )
    assert len(drawn.train) == len(set(drawn.train_rows)) == 50


def test_rows_known_by_heart_are_told_from_a_leak(set_up, blobs, findings):
    x, y = blobs(60)
    rows = np.random.Generator(np.random.PCG64(0)).permutation(np.tile(np.arange(60), 6))
    by_heart = set_up(model__hidden=[64], training__epochs=60)
    (found,) = findings(by_heart, (x[rows], y[rows]), "shuffled_labels")
    assert found.status == "warning" and "equal a training row" in found.message


def test_transforms_that_learn_from_targets_are_fitted_to_the_shuffled_ones(set_up, blobs):
    pandas = pytest.importorskip("pandas")
    city = np.random.Generator(np.random.PCG64(0)).integers(0, 30, 300)
    y = (city % 2).astype(float)  # the mean of a city tells it
    data = pandas.DataFrame({"city": [f"c{code}" for code in city]}), y + 0.5
    config = set_up(dataset__transforms=["target_statistics"], loss="mse")
    run = prepare_run(config, data)
    setup = Setup(run, SECONDS, data)
    assert learns_from_targets(setup)
    assert not learns_from_targets(Setup(prepare_run(set_up(), blobs()), SECONDS))

    def told(part):
        return abs(np.corrcoef(np.asarray(part.x)[:, -1], truth)[0, 1])

    truth = run.parts["validation"].truth[:, 0]
    assert told(run.parts["validation"]) > 0.9
    assert told(shuffled_parts(setup)["validation"]) < 0.5


CHANCE = np.random.Generator(np.random.PCG64(0))


@pytest.mark.parametrize(
    ("task", "truth", "predictions"),
    [
        ("classification", np.array([0, 0, 1, 1, 2, 2]), CHANCE.dirichlet(np.ones(3), 6)),
        ("regression", CHANCE.normal(0, 9, (6, 1)), CHANCE.normal(5, 1, (6, 1))),
        ("multilabel", CHANCE.integers(0, 2, (6, 2)), CHANCE.random((6, 2))),
    ],
)
def test_association_is_counted_in_the_deviations_of_all_permutations(task, truth, predictions):
    def agreement(order):
        shuffled = truth[list(order)]
        targets = np.eye(3)[shuffled] if task == "classification" else shuffled
        return (predictions * targets).sum()

    all_of_them = [agreement(order) for order in itertools.permutations(range(6))]
    expected = (agreement(range(6)) - np.mean(all_of_them)) / np.std(all_of_them)
    assert association(task, truth, predictions) == pytest.approx(expected, rel=1e-9)


def test_there_is_no_association_with_a_constant():
    assert association("regression", np.arange(5.0)[:, None], np.full((5, 1), 2.0)) == 0


def test_a_paired_difference_has_the_standard_error_of_a_mean():
    one, other = np.array([1.0, 2.0, 4.0, 9.0]), np.array([0.5, 2.5, 1.0, 3.0])
    found = paired_difference(one, other)
    error = np.std(one - other, ddof=1) / 2
    assert (found.mean, found.error) == pytest.approx((np.mean(one - other), error))
    weighted = paired_difference(one, other, np.full(4, 3.0))
    assert (weighted.mean, weighted.error) == pytest.approx((found.mean, found.error))


@pytest.mark.parametrize("k", [2, 3, 10])
def test_two_softmaxes_have_a_bound(k):
    logits = np.where(np.eye(k), 800.0, 0.0)  # of rows of every class, as sure as can be
    once = np.exp(logits - 800) / np.exp(logits - 800).sum(axis=1, keepdims=True)
    twice = np.exp(once) / np.exp(once).sum(axis=1, keepdims=True)
    expected = -np.log(np.diag(twice)).mean()
    assert one_batch.softmax_twice_loss(k) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "targets", "constant", "perfect"),
    [
        ("cross_entropy", np.array([0, 1, 2, 2]), 1.0397207708, 0.0),  # entropy of 1/4, 1/4, 1/2
        ("mse", np.array([[1.0], [2.0], [6.0]]), 14 / 3, 0.0),
        ("mae", np.array([[1.0], [2.0], [6.0]]), 5 / 3, 0.0),
    ],
)
def test_the_best_outputs_are_below_the_best_constant_ones(name, targets, constant, perfect):
    loss, outputs = Loss.parse(name), 3 if targets.ndim == 1 else 1
    found, reached = best_constant(loss, targets, outputs)
    assert reached == pytest.approx(constant, rel=2e-3) and found.shape == (outputs,)
    assert best_loss(loss, targets, outputs) == pytest.approx(perfect, abs=2e-3)


def test_many_classes_have_no_order_that_fits_by_chance(set_up, findings):
    chance = np.random.Generator(np.random.PCG64(0))
    y = chance.permutation(np.repeat(np.arange(100), 4))
    (found,) = findings(set_up(), (chance.normal(size=(400, 4)), y.astype(str)), "class_order")
    assert found.status == "skipped" and "rows per class" in found.message


def test_the_best_order_of_classes_takes_the_largest_counts_first():
    counts = np.array([[1, 9, 0], [8, 2, 0], [0, 1, 5]])
    assert class_order.best_order(counts).tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ((0.2, 0.01), (0.1, 0.01), "about 0.45"),  # 0.5 - 0.1 / 2
        ((0.1, 0.01), (0.1, 0.01), "not getting smaller"),
        ((0.2, 0.01), (0.01, 0.01), "no visible gain"),
    ],
)
def test_three_sizes_are_extrapolated_with_care(first, last, said):
    assert said in more_data.outlook(0.5, Difference(*first), Difference(*last), 100)


def test_dropout_is_off_where_a_step_must_be_a_function_of_the_rows(set_up, blobs, findings):
    noisy = layers(
        {"type": "dense", "units": 8}, "relu",
        {"type": "residual", "layers": [{"type": "dense", "units": 8}, {"type": "dropout", "rate": 0.5}]},
        {"type": "gaussian_noise", "deviation": 1.0}, "dense",
    )  # fmt: skip
    (found,) = findings(set_up(model=noisy), blobs(), "batch_order")
    assert found.status == "ok" and "differ by" in found.message
