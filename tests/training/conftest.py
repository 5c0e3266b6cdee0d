"""Tiny data, a small configuration with everything in it that keeps state, and what two runs must agree in."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from processes.run_content import json_lines, run_content

from nettrain import streams
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.callbacks import Callback, checkpoints

ROWS = 40


def classes_of(x):
    return (x[:, 0] + x[:, 1] > 0) * 1 + (x[:, 2] > 0.5)


def _changed(config, changes):
    """A copy with dotted keys set: {"training.epochs": 3}; None at the end of a path takes part in it like any value."""
    config = json.loads(json.dumps(config))
    for path, value in changes.items():
        *sections, key = path.split(".")
        section = config
        for name in sections:
            section = section.setdefault(name, {})
        section[key] = value
    return config


CONFIG = {
    "name": "toy",
    "seed": 3,
    "dataset": {"source": "memory", "split": {"validation": 0.25}},
    "model": {"type": "mlp", "hidden": [6], "activation": "tanh"},
    "optimizer": {"type": "adam", "lr": 0.03},
    "regularization": {"dropout": 0.2, "l2": 1e-3},
    "training": {"epochs": 6, "batch_size": 8},
    "early_stopping": {"patience": 50},
}


@pytest.fixture
def toy():
    """The configuration as a mapping, with dotted changes."""
    return lambda changes=None: _changed(CONFIG, changes or {})


@pytest.fixture
def data():
    """(x (40, 3), classes (40,))."""
    x = streams.generator(0, "toy").normal(size=(ROWS, 3))
    return x, classes_of(x)


@pytest.fixture
def every_epoch(monkeypatch):
    """Checkpoints at every epoch's end, however short."""
    monkeypatch.setattr(checkpoints, "BETWEEN_EPOCHS", 0.0)


class StopAt(Callback):
    """At the end of one batch, counted over the whole run: a signal, or an exception that leaves things as a kill would."""

    def __init__(self, batch, how):
        self.batch, self.how, self.seen = batch, how, 0

    def batch_end(self, run):
        self.seen += 1
        if self.seen == self.batch:
            if self.how == "kill":
                raise Killed
            os.kill(os.getpid(), getattr(signal, self.how))


class Killed(Exception):
    """Stands for kill -9."""


@pytest.fixture
def stop_at():
    return StopAt


@pytest.fixture
def killed():
    return Killed


@pytest.fixture
def log():
    """The rows of a run's metrics.jsonl, without their seconds."""
    return lambda path: json_lines(Path(path) / "metrics.jsonl")


@pytest.fixture
def figures():
    """All that must be equal in two equal runs, timings and paths aside: metrics, summary, both checkpoints to the bit."""
    return run_content


@pytest.fixture
def weights():
    """The parameters of a run's checkpoint as one array."""

    def of(path, which="last"):
        group = Checkpoint.read(path / "checkpoints" / f"{which}.safetensors").group("parameters")
        return np.concatenate([group[name].ravel() for name in sorted(group)])

    return of
