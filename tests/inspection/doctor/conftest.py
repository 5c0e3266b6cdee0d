"""A set-up that is able to learn, and what single checks of the doctor find about set-ups."""

import numpy as np
import pytest

from nettrain.config.plugins import in_use
from nettrain.data.loader import Loader
from nettrain.inspection.doctor.examine import CHECKS
from nettrain.inspection.doctor.setup import Setup
from nettrain.training.train import load_for_data, prepare_run

CHECK_OF = {check.__module__.rpartition(".")[2]: check for check in CHECKS}
SECONDS = 2.0


def blobs(rows=240, seed=0):
    """Three classes around the corners of a simplex in four dimensions, in random order."""
    chance = np.random.Generator(np.random.PCG64(seed))
    y = chance.integers(0, 3, rows)
    return 3 * np.eye(3, 4)[y] + chance.normal(0, 1, (rows, 4)), y


def set_up(**changes):
    """The healthy configuration with some values changed; `model__hidden` is model.hidden."""
    config = {
        "dataset": {"source": "memory", "split": {"validation": 0.3}},
        "model": {"type": "mlp", "hidden": [16], "activation": "relu"},
        "optimizer": {"type": "adam", "lr": 0.01},
        "training": {"epochs": 20, "batch_size": 16},
    }
    for name, value in changes.items():
        section = config
        *path, last = name.split("__")
        for key in path:
            section = section.setdefault(key, {})
        section[last] = value
    return config


def findings(config, data, *modules):
    """What some checks find."""
    loader = Loader()
    loaded = load_for_data(config, data, [], allow_plugins=True)
    with in_use(loaded.plugins):
        run = prepare_run(loaded, data, allow_plugins=True, loader=loader)
        setup = Setup(run, SECONDS, data, loader)
        return [finding for module in modules for finding in CHECK_OF[module](setup)]


@pytest.fixture(scope="session", name="blobs")
def blobs_function():
    return blobs


@pytest.fixture(scope="session", name="set_up")
def set_up_function():
    return set_up


@pytest.fixture(scope="session", name="findings")
def findings_function():
    return findings
