"""Every symptom is found in the figures that show it, in the epoch in which it is certain, and not in those that only resemble it."""

import json
import math

import pytest

from nettrain.config.load import load
from nettrain.diagnosis import symptoms
from nettrain.diagnosis.symptoms import (
    AtBaseline,
    Dying,
    Epoch,
    Exploding,
    NotFinite,
    Overfitting,
    Vanishing,
)

CONFIG = load({"dataset": {"source": "xor"}, "model": {"type": "mlp", "hidden": [4]}})
TREATED = load({
    "dataset": {"source": "xor"}, "model": {"type": "mlp", "hidden": [4]}, "early_stopping": {}, "training": {"clip_norm": 1.0},
})  # fmt: skip
STEPS = 100  # in an epoch


def epochs(rows=(), layers=(), *, config=CONFIG, last=None, baseline=0.5):
    """The epochs of a run from what each logs and what its layers show."""
    count = max(len(rows), len(layers))
    rows = rows or [{"train_loss": 1.0}] * count
    layers = layers or [{}] * count
    return [
        Epoch(
            config,
            {"epoch": i, "step": i * STEPS, **row},
            shown,
            i == (last or count + 1),
            lambda: baseline,
        )
        for i, (row, shown) in enumerate(zip(rows, layers, strict=True), start=1)
    ]


def first(symptom, seen):
    """(the epoch, the sentence) of the first finding; in between, the symptom forgets nothing that a checkpoint would hold."""
    for epoch in seen:
        found = symptom.seen(epoch)
        if found is not None:
            return epoch.row["epoch"], found
        symptom = type(symptom)(**json.loads(json.dumps(symptom.state())))
    return None


def gradients(*norms):
    return {f"dense_{i}": {"gradient_norm": norm} for i, norm in enumerate(norms, start=1)}


def losses(train, validation=None):
    rows = [{"train_loss": loss} for loss in train]
    return (
        rows
        if validation is None
        else [row | {"validation_loss": loss} for row, loss in zip(rows, validation, strict=True)]
    )


FADED, GOOD = gradients(1e-6, 1e-3, 0.1), gradients(0.1, 0.2, 0.1)


@pytest.mark.parametrize(("layers", "epoch"), [
    ([FADED] * 4, 3),
    ([FADED, FADED, GOOD, FADED, FADED, FADED], 6),
    ([gradients(0.0, 0.1)] * 3, 3),
    ([GOOD] * 5, None),
    ([gradients(1e-8, 1e-9, 1e-7)] * 5, None),                               # all small alike: the end of training
    ([gradients(0.0, 0.0)] * 5, None),
    ([gradients(0.1)] * 5, None),
    ([FADED | {"activation_1": {"dead": 1.0}}] * 5, None),
    ([{}] * 5, None),
])  # fmt: skip
def test_gradients_vanish_when_the_first_layer_gets_a_thousandth_for_three_epochs(layers, epoch):
    found = first(Vanishing(), epochs(layers=layers))
    assert (found and found[0]) == epoch


def test_the_vanishing_is_told_with_both_layers_and_remedies():
    _, text = first(Vanishing(), epochs(layers=[FADED] * 3))
    assert text.startswith(
        "gradients vanish: that of dense_1 has the norm 1e-06, that of dense_3 0.1; try "
    )
    assert all(remedy in text for remedy in ("relu", "he", "batch_norm", "residual"))


@pytest.mark.parametrize(("norms", "epoch"), [
    ([1.0, 5.0, 2000.0], 3),
    ([2000.0], 1),
    ([math.inf], 1),
    ([0.1, 1.0, 11.0], 3),
    ([0.001, 0.1, 1.0], None),                                               # grown, but not to be noticed
    ([20.0, 90.0, 500.0], None),
    ([math.nan, 1.0], None),
])  # fmt: skip
def test_gradients_explode_when_they_are_large_or_have_grown_by_two_orders(norms, epoch):
    found = first(Exploding(), epochs(layers=[gradients(0.0, norm) for norm in norms]))
    assert (found and found[0]) == epoch


def test_the_explosion_is_told_with_what_is_not_yet_done_about_it():
    layers = [gradients(0.5, 0.2), gradients(5e3, 1.0)]
    _, text = first(Exploding(), epochs(layers=layers))
    assert text.startswith(
        "gradients explode: that of dense_1 has the norm 5e+03, after 0.5 in the first epoch; try training.clip_norm"
    )
    assert "lower optimizer.lr (now 0.001)" in text
    assert "clip_norm" not in first(Exploding(), epochs(layers=layers, config=TREATED))[1]


def dead(*shares):
    return {
        f"activation_{i}": {"dead": share} for i, share in enumerate(shares, start=1)
    } | gradients(0.1)


@pytest.mark.parametrize(("layers", "epoch"), [
    ([dead(0.1, 0.6)] * 4, 3),
    ([dead(0.5, 0.5)] * 4, None),
    ([dead(0.9), dead(0.9), dead(0.2), dead(0.9), dead(0.9)], None),
    ([{"activation_1": {"saturated": 1.0}}] * 4, None),
])  # fmt: skip
def test_units_die_when_more_than_half_of_a_layer_is_dead_for_three_epochs(layers, epoch):
    found = first(Dying(), epochs(layers=layers))
    assert (found and found[0]) == epoch
    if found:
        assert found[1].startswith(
            "units die: 60% of those of activation_2 are 0 for every row; try a lower optimizer.lr (now 0.001)"
        )
        assert "leaky_relu" in found[1] and "initializer: he" in found[1]


@pytest.mark.parametrize(("train", "baseline", "last", "epoch"), [
    ([0.5] * 8, 0.5, None, 5),
    ([0.49] * 8, 0.5, None, 5),
    ([0.48] * 8, 0.5, None, None),
    ([9, 8, 7, 6, 5, 4, 3, 3, 3, 3, 3], 0.5, None, 10),                      # above, and on its way down for a while
    ([9, 8, 7, 6, 5], 0.5, 5, 5),                                            # the run ends on the way
    ([0.5, 0.5, 0.5, 0.5], 0.5, 4, None),                                    # too short to tell
    ([0.1] * 5 + [0.6] * 5, 0.5, None, None),                                # it had learnt
    ([0.0] * 8, 0.0, None, None),                                            # a loss that any constant makes zero
    ([-3.0] * 8, -3.05, None, 5),
    ([-3.5] * 8, -3.05, None, None),
    ([math.nan] * 8, 0.5, None, 5),
])  # fmt: skip
def test_the_loss_is_at_the_baseline_when_it_stands_still_there(train, baseline, last, epoch):
    found = first(AtBaseline(), epochs(losses(train), last=last, baseline=baseline))
    assert (found and found[0]) == epoch


def test_few_steps_are_not_judged_before_the_run_ends(monkeypatch):
    monkeypatch.setattr(symptoms, "FEWEST_STEPS", 1000)
    assert first(AtBaseline(), epochs(losses([0.5] * 9))) is None
    assert first(AtBaseline(), epochs(losses([0.5] * 9), last=9))[0] == 9
    assert first(AtBaseline(), epochs(losses([0.5] * 12)))[0] == 10


def test_the_baseline_is_told_beside_the_loss_with_remedies():
    _, text = first(AtBaseline(), epochs(losses([0.6] * 5)))
    assert text.startswith(
        "the training loss is 0.6, no better than the 0.5 of the baseline, which ignores the features; try another optimizer"
    )
    assert (
        all(remedy in text for remedy in ("standardize", "hidden units", "the right column"))
        and "more epochs" not in text
    )
    assert (
        "a lower optimizer.lr" in first(AtBaseline(), epochs(losses([0.5, 0.6, 0.7, 0.8, 0.9])))[1]
    )
    assert "hardly better" in first(AtBaseline(), epochs(losses([0.49] * 5)))[1]
    assert (
        "more epochs" in first(AtBaseline(), epochs(losses([0.9, 0.8, 0.7, 0.6, 0.55]), last=5))[1]
    )


FALLING = [0.4, 0.3, 0.2, 0.15, 0.1, 0.08, 0.06, 0.05]


@pytest.mark.parametrize(("train", "validation", "epoch"), [
    (FALLING, [0.5, 0.4, 0.42, 0.45, 0.5, 0.55, 0.6, 0.7], 7),
    (FALLING, [0.5, 0.4, 0.42, 0.42, 0.43, 0.43, 0.43, 0.44], None),         # a rise of a tenth
    (FALLING, [0.5, 0.01, 0.012, 0.015, 0.02, 0.02, 0.02, 0.03], None),      # three times as much as next to nothing
    ([0.4] * 8, [0.5, 0.4, 0.42, 0.45, 0.5, 0.55, 0.6, 0.7], None),          # the training loss does not fall
    ([4.0, 2.0, 1.8, 1.6, 1.4, 1.2, 1.0, 0.9], [0.5, 0.4, 0.9, 0.5, 0.9, 0.5, 0.9, 0.9], None),   # never as good as on the other part
    (FALLING, [math.nan] * 8, None),
    (FALLING, None, None),
])  # fmt: skip
def test_a_network_overfits_when_the_validation_loss_rises_while_the_training_loss_falls(
    train, validation, epoch
):
    seen = losses(train, validation)
    found = first(Overfitting(), epochs(seen))
    assert (found and found[0]) == epoch
    assert first(Overfitting(), epochs(seen, config=TREATED)) is None
    if found:
        assert (
            "since epoch 2 the validation loss has risen from 0.4 to 0.6, while the training loss fell from 0.3 to 0.06"
            in found[1]
        )
        assert all(
            remedy in found[1]
            for remedy in ("early_stopping", "regularization.l2", "dropout", "more data")
        )


def test_remedies_that_are_in_use_are_not_proposed():
    config = load(
        {
            "dataset": {"source": "xor"},
            "model": {"type": "mlp", "hidden": [4]},
            "regularization": {"l2": 0.1, "dropout": 0.1},
        }
    )
    _, text = first(
        Overfitting(),
        epochs(losses(FALLING, [0.5, 0.4, 0.42, 0.45, 0.5, 0.55, 0.6, 0.7]), config=config),
    )
    assert "regularization.l2" not in text and "dropout" not in text


@pytest.mark.parametrize(
    ("validation", "epoch"),
    [
        ([math.nan, 0.5], 1),
        ([0.5, math.inf], 2),
        ([0.5, 1e30], None),
        (None, None),
    ],
)
def test_a_validation_loss_that_is_not_finite_is_told(validation, epoch):
    found = first(NotFinite(), epochs(losses([0.5, 0.4], validation)))
    assert (found and found[0]) == epoch
    assert not found or "features far outside the range of the training rows" in found[1]
