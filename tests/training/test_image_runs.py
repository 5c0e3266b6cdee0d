"""Runs of convolutional networks: the same bits on any number of threads, replayed or not, interrupted or not."""

import contextlib

import numpy as np
import pytest

import nettrain
from nettrain import streams
from nettrain.training.loop import Interrupted
from nettrain.training.train import prepare_run

generator = streams.generator(0, "image runs")
X = generator.integers(0, 256, (44, 9, 9, 3), dtype=np.uint8)
Y = np.array(["cat", "dog"])[(X[:, 2:5, 3:6].mean(axis=(1, 2, 3)) > 127).astype(int)]
INSIDE = [
    {"type": "conv", "filters": 6, "stride": 2, "padding": "same"},
    {"type": "batch_norm"},
    {"type": "spatial_dropout"},
]
MODELS = {
    "resnet": {"type": "small_resnet", "blocks": 1, "widths": [4, 6]},
    "all_conv": {"type": "all_conv", "width": 4, "batch_norm": True, "input_dropout": 0.1},
    "layers": {"type": "sequential", "layers": [
        {"type": "zero_pad", "padding": [[0, 1], 1]}, {"type": "residual", "layers": INSIDE}, {"type": "group_norm", "groups": 3}, "relu",
        {"type": "upsample", "method": "bilinear"}, {"type": "average_pool", "size": 3, "stride": 2, "padding": "same"},
        {"type": "separable_conv", "filters": 5}, "global_max_pool", "dense",
    ]},
}  # fmt: skip


def config(model, shards=3, **training):
    return {"model": MODELS[model], "training": {"epochs": 3, "batch_size": 16, "shards": shards} | training, "dataset": {
        "split": {"validation": 0.25}, "augmentation": ["flip", {"type": "crop", "padding": 1}],
    }}  # fmt: skip


def weights(model, threads=1, replay=True):
    run = prepare_run(config(model), (X, Y))
    run.step.computation.replay = replay
    with run.workers(threads):
        for start in (0, 16):  # the second batch is a short one
            run.step(np.arange(start, min(start + 16, 30)), 0.05)
    return run.network.vector.values.copy(), run.network.outputs(
        np.asarray(run.step.part.x[:8], np.float32)
    )


@pytest.mark.parametrize("model", MODELS)
def test_threads_and_replays_change_no_bit(model):
    expected = weights(model)
    for other in (weights(model, 2), weights(model, 3), weights(model, replay=False)):
        np.testing.assert_array_equal(other[0], expected[0])
        np.testing.assert_array_equal(other[1], expected[1])


@pytest.mark.parametrize("batch", [2, 4])
@pytest.mark.parametrize("model", MODELS)
def test_an_interrupted_run_resumed_is_the_undisturbed_one(
    model, batch, tmp_path, stop_at, figures
):
    """Three batches an epoch: within the first, and within the second."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    nettrain.train(config(model), (X, Y), output_directory=tmp_path, run_name="whole")
    with contextlib.suppress(Interrupted):
        nettrain.train(
            config(model),
            (X, Y),
            output_directory=tmp_path,
            run_name="broken",
            callbacks=[stop_at(batch, "SIGINT")],
        )
    assert not (broken / "summary.json").exists()
    nettrain.resume(broken, (X, Y))
    assert figures(broken) == figures(whole)
