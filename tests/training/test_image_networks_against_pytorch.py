"""Whole convolutional networks follow PyTorch's for 20 steps, in any number of shards: tests/golden/image_networks.npz."""

from pathlib import Path

import numpy as np
import pytest

from nettrain.config.run_config import Regularization
from nettrain.data.part import Part
from nettrain.nn.architecture import Architecture
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.optim import Optimizer
from nettrain.training.engine.partition import Partition
from nettrain.training.engine.step import Step
from nettrain.training.engine.update import Update

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "image_networks.npz")
RATE, CLASSES = 0.05, 4
MODELS = {
    "lenet5": {"type": "lenet5", "activation": "relu", "pool": "max"},
    "small_resnet": {"type": "small_resnet", "blocks": 2, "widths": [4, 6]},
}


def golden(case, prefix=""):
    start = f"{case}/{prefix}"
    return {
        name.removeprefix(start): GOLDEN[name] for name in GOLDEN.files if name.startswith(start)
    }


@pytest.mark.parametrize("shards", [1, 2, 4])
@pytest.mark.parametrize("case", MODELS)
def test_twenty_steps_of_training_are_pytorchs(case, shards):
    data, start, end = golden(case), golden(case, "start/"), golden(case, "end/")
    steps, rows, *shape = data["x"].shape
    network = Network(
        Architecture.parse(MODELS[case]).expand(tuple(shape), CLASSES, 0.0),
        tuple(shape),
        dtype="float64",
    )
    arrays = network.vector.views | network.state
    assert set(arrays) == set(start) == set(end)
    for name, array in arrays.items():
        array[...] = start[name]
    x = (data["x"] / 255).reshape(-1, *shape)
    update = Update(
        network.vector, Optimizer.parse({"type": "momentum", "beta": 0.9}), Regularization()
    )
    step = Step(
        network,
        Loss.parse("cross_entropy"),
        update,
        Part(x, data["y"].reshape(-1).astype(np.int64)),
        CLASSES,
        rows,
        partition=Partition(shards),
    )
    losses = [step(np.arange(i * rows, (i + 1) * rows), RATE) / rows for i in range(steps)]
    np.testing.assert_allclose(losses, data["losses"], rtol=1e-8)
    for name, array in arrays.items():
        np.testing.assert_allclose(array, end[name], rtol=1e-8, atol=1e-10, err_msg=name)
        assert not np.allclose(array, start[name], rtol=1e-3), name
