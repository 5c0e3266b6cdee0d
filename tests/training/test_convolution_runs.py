"""Training with convolutions: the same bits on any number of threads and eagerly, compiled loops and Winograd's way but for rounding."""

import numpy as np
import pytest

from nettrain import streams
from nettrain.autodiff.ops import winograd
from nettrain.training.train import prepare_run

pytestmark = pytest.mark.compiled

generator = streams.generator(0, "images")
X = generator.normal(size=(22, 11, 10, 2))
Y = np.array(["a", "b", "c"])[np.arange(22) % 3]
LAYERS = [
    {"type": "conv", "filters": 24, "padding": "same"}, "relu", {"type": "conv", "filters": 26}, "relu", "max_pool",
    {"type": "conv", "filters": 8, "kernel": 2}, "batch_norm", "tanh", {"type": "depthwise_conv", "kernel": 2}, "flatten", "dense",
]  # fmt: skip


def steps(threads=1, replay=True, first_weight=None, **training):
    """Losses and weights of some steps in two shards; the last batch of an epoch is short."""
    training = {"batch_size": 8, "shards": 2, "kernels": "numpy"} | training
    config = {
        "model": {"type": "sequential", "layers": LAYERS},
        "training": training,
        "dtype": "float64",
    }
    run = prepare_run(
        config | {"dataset": {"source": "memory", "split": "none", "transforms": []}}, (X, Y)
    )
    run.step.computation.replay = replay
    if first_weight is not None:
        run.network.vector.views["conv_1.w"][0, 0, 0, 0] = first_weight
    with run.workers(threads):
        losses = [
            run.step(np.arange(start, min(start + 8, len(X))), 0.01)
            for _ in range(2)
            for start in range(0, len(X), 8)
        ]
    return losses, run.network.vector.values.copy()


def equal(found, expected, **tolerance):
    np.testing.assert_allclose(found[0], expected[0], **tolerance)
    np.testing.assert_allclose(found[1], expected[1], **tolerance)


def test_the_network_has_a_convolution_of_each_way():
    assert not winograd.Winograd.pays((3, 3, 2, 24), (8, 11, 10, 24))
    assert winograd.Winograd.pays((3, 3, 24, 26), (8, 9, 8, 26))


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_threads_change_no_bit(kernels):
    equal(steps(threads=2, kernels=kernels), steps(threads=1, kernels=kernels), rtol=0)


def test_a_replay_has_the_bits_of_an_eager_run_in_one_piece():
    equal(steps(shards=1), steps(shards=1, replay=False), rtol=0)


def test_compiled_loops_train_to_the_same_weights_but_for_rounding():
    plain, loops = steps(), steps(kernels="numba")
    assert not np.array_equal(plain[1], loops[1])
    equal(loops, plain, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_winograds_way_trains_to_the_same_weights_as_windows_but_for_rounding(kernels, monkeypatch):
    tiles = steps(kernels=kernels)
    monkeypatch.setattr(winograd, "WORTH", np.inf)
    monkeypatch.setattr(winograd, "WORTH_COMPILED", np.inf)
    windows = steps(kernels=kernels)
    assert not np.array_equal(tiles[1], windows[1])
    equal(tiles, windows, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_what_is_not_a_number_shows_in_the_loss(kernels):
    assert np.isfinite(steps(kernels=kernels)[0]).all()
    assert np.isnan(steps(kernels=kernels, first_weight=np.nan)[0]).all()
