"""Batch norm, layer norm, noise and probes: what each does in training, in evaluation, and with odd batches."""

from pathlib import Path

import numpy as np
import pytest

from nettrain import streams
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.plan.shards import Shards
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network

IMAGES = (2, 3, 4)


def network(*layers, shape=(4,), dtype="float64", **options):
    return Network([Layer.parse(layer) for layer in layers], shape, dtype=dtype, **options)


def batch(n, shape=(4,), seed=0):
    return streams.generator(seed, "batch").normal(3, 5, size=(n, *shape))


def train(found, x):
    proposals = {}
    y = found(Tensor(x), training=True, proposals=proposals).value
    found.commit(proposals)
    return y


@pytest.mark.parametrize("shape", [(4,), IMAGES])
def test_batch_norm_gives_each_channel_mean_0_and_variance_1(shape):
    y = train(network({"type": "batch_norm", "epsilon": 1e-12}, shape=shape), batch(6, shape))
    axes = tuple(range(len(shape)))
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axes), 1, rtol=1e-10)


def test_in_evaluation_batch_norm_uses_what_it_has_seen():
    found, seen = network({"type": "batch_norm", "momentum": 1.0, "epsilon": 0.1}), batch(6)
    train(found, seen)
    x = batch(3, seed=1)
    expected = (x - seen.mean(0)) / np.sqrt(seen.var(0, ddof=1) + 0.1)
    np.testing.assert_allclose(found(Tensor(x)).value, expected, rtol=1e-12)


def test_momentum_is_the_weight_of_the_new_batch():
    found = network({"type": "batch_norm", "momentum": 0.2})
    mean, variance = np.zeros(4), np.ones(4)
    for seed in range(3):
        x = batch(5, seed=seed)
        train(found, x)
        mean, variance = 0.8 * mean + 0.2 * x.mean(0), 0.8 * variance + 0.2 * x.var(0, ddof=1)
    np.testing.assert_allclose(found.state["batch_norm_1.mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(found.state["batch_norm_1.variance"], variance, rtol=1e-12)


def test_only_what_is_committed_moves_the_state():
    found = network({"type": "batch_norm"})
    before = {name: array.copy() for name, array in found.state.items()}
    found(Tensor(batch(5)), training=True)
    found(Tensor(batch(5)), training=True, proposals={})
    found(Tensor(batch(5)))
    assert all(np.array_equal(array, before[name]) for name, array in found.state.items())


def test_a_batch_of_one_row_gives_beta_and_moves_nothing():
    found = network({"type": "batch_norm"})
    found.vector.views["batch_norm_1.beta"][...] = [1, 2, 3, 4]
    assert train(found, batch(1)).tolist() == [[1, 2, 3, 4]]
    assert (found.state["batch_norm_1.mean"] == 0).all() and (
        found.state["batch_norm_1.variance"] == 1
    ).all()


def test_one_image_has_statistics_of_its_own():
    found, x = network({"type": "batch_norm", "momentum": 1.0}, shape=IMAGES), batch(1, IMAGES)
    train(found, x)
    np.testing.assert_allclose(
        found.state["batch_norm_1.variance"], x.reshape(-1, 4).var(0, ddof=1), rtol=1e-12
    )


def test_a_constant_channel_stays_finite():
    for dtype in ("float32", "float64"):
        y = train(network({"type": "batch_norm"}, dtype=dtype), np.full((8, 4), 7, dtype))
        assert np.array_equal(y, np.zeros((8, 4)))


def test_float32_statistics_of_many_far_rows_are_accurate():
    found, x = (
        network({"type": "batch_norm", "momentum": 1.0}, dtype="float32"),
        (batch(20_000) + 100).astype(np.float32),
    )
    train(found, x)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(found.state["batch_norm_1.mean"], exact.mean(0), rtol=1e-5)
    np.testing.assert_allclose(
        found.state["batch_norm_1.variance"], exact.var(0, ddof=1), rtol=1e-5
    )


def test_a_frozen_batch_norm_uses_and_keeps_its_running_statistics_in_training():
    found, x = network({"type": "batch_norm", "trainable": False, "epsilon": 1e-12}), batch(6)
    np.testing.assert_allclose(train(found, x), x, rtol=1e-10)
    assert (found.state["batch_norm_1.mean"] == 0).all() and found.slots == {}


def test_penalties_leave_normalization_alone():
    found = network({"type": "batch_norm"}, {"type": "layer_norm"}, {"type": "dense", "units": 2})
    decayed = np.zeros(len(found.vector), bool)
    decayed[found.vector.decayed] = True
    assert [name for name, view in found.vector.named(decayed).items() if view.all()] == [
        "dense_1.w"
    ]


def test_batch_norm_undoes_any_scale_and_shift_of_its_input():
    x = batch(6)
    one, other = (
        train(network({"type": "batch_norm", "epsilon": 1e-12}), value)
        for value in (x, 1000 * x - 7)
    )
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


def test_layer_norm_gives_each_row_mean_0_and_variance_1_whatever_the_others():
    found, x = network({"type": "layer_norm", "epsilon": 1e-12}), batch(5)
    for training in (False, True):
        y = found(Tensor(x), training=training).value
        np.testing.assert_allclose(y.mean(1), 0, atol=1e-12)
        np.testing.assert_allclose(y.var(1), 1, rtol=1e-10)
        np.testing.assert_array_equal(found(Tensor(x[2:3]), training=training).value, y[2:3])


def test_noise_has_the_deviation_asked_for_and_depends_on_the_step_alone():
    found, x = (
        network({"type": "gaussian_noise", "deviation": 0.3}, shape=(500,)),
        np.ones((100, 500)),
    )
    first, again, next_step = (
        found(Tensor(x), training=True, step=step).value - x for step in (4, 4, 5)
    )
    assert first.std() == pytest.approx(0.3, rel=0.02) and first.mean() == pytest.approx(
        0, abs=0.01
    )
    np.testing.assert_array_equal(first, again)
    assert (first != next_step).all()


def test_noise_in_evaluation_is_the_very_input():
    x = Tensor(batch(2))
    assert network({"type": "gaussian_noise", "deviation": 9.0})(x) is x


def test_a_probe_tells_every_so_many_steps_of_training_and_nothing_else():
    told = []
    found = network({"type": "probe", "every": 3}, report=lambda *line: told.append(line))
    x = np.array([[1.0, 2.0, 3.0, 0.0], [0.0, 2.0, np.inf, 4.0]])
    for step in range(7):
        assert np.array_equal(found(Tensor(x), training=True, step=step, proposals={}).value, x)
    found(Tensor(x), training=True, step=3)
    found(Tensor(x))
    summary = "values: rows 2, mean 1.714, deviation 1.385, from 0 to 4, zeros 25%, not finite 12%"
    assert told == [("probe_1", f"step {step}, {summary}") for step in (1, 4, 7)]


def test_outside_a_run_a_probe_tells_on_standard_error(capsys):
    network("probe")(Tensor(np.ones((2, 4))), training=True, proposals={})
    said = capsys.readouterr()
    assert (
        said.err == "probe_1: step 1, values: rows 2, mean 1, deviation 0, from 1 to 1, zeros 0%\n"
        and said.out == ""
    )


GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "layers.npz")


@pytest.mark.parametrize("shards", [1, 2, 4])
def test_batch_norm_of_images_in_shards_is_pytorchs_of_the_whole_batch(shards):
    """Seven images: shards of different sizes. Recorded with the first batch, replayed with all."""
    expected = {
        name.partition("/")[2]: GOLDEN[name]
        for name in GOLDEN.files
        if name.startswith("layer batch_norm of images/")
    }
    found = network(
        {"type": "batch_norm", "momentum": 0.3, "epsilon": 0.01}, shape=expected["x"].shape[2:]
    )
    for name, view in found.vector.views.items():
        view[...] = expected[name.removeprefix("batch_norm_1.")]
    x, dy, rows = (
        np.zeros(expected["x"].shape[1:]),
        np.zeros(expected["dy"].shape[1:]),
        len(expected["x"][0]),
    )
    outputs, plans, slots, proposals = [], [], [], {}
    for lane, part in enumerate(np.array_split(np.arange(rows), shards)):
        few = slice(part[0], part[-1] + 1)
        into, own = Tensor(x[few], requires_grad=True), {}
        outputs.append(
            found(into, training=True, rows=rows, shard=lane, stream=lane, proposals=own)
        )
        slots.append({tensor: np.full(tensor.shape, np.nan) for tensor in (*found.slots, into)})
        total = (outputs[-1] * Tensor(dy[few], feed=True)).sum()
        plans.append(
            Plan(total, into=slots[-1], also=[outputs[-1], *own.values()], share=len(part) / rows)
        )
        proposals = proposals or own
    together = Shards(plans, lambda tasks: [task() for task in tasks])
    for i, (batch, gradient) in enumerate(zip(expected["x"], expected["dy"], strict=True)):
        x[...], dy[...] = batch, gradient
        together.forward()
        together.backward()
        found.commit(proposals)
        np.testing.assert_allclose(
            np.concatenate([y.value for y in outputs]), expected["y"][i], rtol=1e-8, atol=1e-13
        )
        np.testing.assert_allclose(
            np.concatenate([list(own.values())[-1] for own in slots]),
            expected["dx"][i],
            rtol=1e-8,
            atol=1e-13,
        )
        for name, tensor in found.parameters.items():
            total_gradient = sum(own[tensor] for own in slots)
            np.testing.assert_allclose(
                total_gradient,
                expected[f"d{name.removeprefix('batch_norm_1.')}"][i],
                rtol=1e-8,
                atol=1e-13,
            )
        for name, array in found.state.items():
            np.testing.assert_allclose(
                array, expected[name.removeprefix("batch_norm_1.")][i], rtol=1e-8, atol=1e-13
            )
