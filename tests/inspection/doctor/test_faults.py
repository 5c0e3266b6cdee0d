"""The doctor names every planted fault by the right check, and leaves healthy set-ups in peace."""

from pathlib import Path

import numpy as np
import pytest

import nettrain

CONFIGS = Path(__file__).parents[3] / "configs"
LOSSES = '''\
"""Two losses with a fault each."""

from dataclasses import dataclass

from nettrain.autodiff import functions as f
from nettrain.nn.loss import Loss


@dataclass(frozen=True, kw_only=True)
class Doubled(Loss):
    """Cross-entropy of softmax(softmax(z))."""

    tasks = ("classification",)

    def outputs(self, task, size):
        return size

    def encode(self, targets, size):
        return targets

    def rows(self, outputs, targets):
        return -f.pick(f.log_softmax(f.softmax(outputs)), targets)

    def inverse_link(self, outputs, task):
        return f.softmax(f.softmax(outputs))


@dataclass(frozen=True, kw_only=True)
class Reversed(Doubled):
    """Cross-entropy that counts the classes from the last one when it trains."""

    def encode(self, targets, size):
        return size - 1 - targets

    def rows(self, outputs, targets):
        return -f.pick(f.log_softmax(outputs), targets)

    def inverse_link(self, outputs, task):
        return f.softmax(outputs)
'''
LAYERS = '''\
"""Three layers with a fault each."""

from dataclasses import dataclass

import numpy as np

from nettrain.autodiff import functions as f
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.layer import Layer


@dataclass(frozen=True, kw_only=True)
class _Same(Layer):
    """A layer whose rows keep their shape."""

    def output_shape(self, shape):
        return shape


@dataclass(frozen=True, kw_only=True)
class Normalize(_Same):
    """y = softmax(x), before a loss that applies it too."""

    def apply(self, x, scope):
        return f.softmax(x)


@dataclass(frozen=True, kw_only=True)
class Place(_Same):
    """y_i = i x_i, which depends on the place i of a row in its batch."""

    def apply(self, x, scope):
        return x * Tensor(np.arange(1, len(x.value) + 1, dtype=x.value.dtype)[:, None] / 10)


@dataclass(frozen=True, kw_only=True)
class Detached(_Same):
    """y = x, without its gradient."""

    def apply(self, x, scope):
        return x * Tensor(np.zeros_like(x.value)) + Tensor(x.value)
'''


def layers(*listed):
    return {"type": "sequential", "layers": list(listed)}


def faults(folder, blobs, set_up):
    """By name: the configuration, its data, and the check that must name the fault.

    Args:
        folder: Where the plugins are written.
        blobs, set_up: Make data and configuration.
    """
    plugins = [str(folder / "losses.py"), str(folder / "layers.py")]
    (folder / "losses.py").write_text(LOSSES)
    (folder / "layers.py").write_text(LAYERS)
    x, y = blobs()
    chance = np.random.Generator(np.random.PCG64(1))
    told = np.hstack([chance.normal(0, 1, (len(x), 4)), np.array([0.0, 2.0, 5.0])[y][:, None]])
    large, constant = x.copy(), np.hstack([x, np.full((len(x), 1), 7.0)])
    large[:, 1] *= 1e6
    twice = chance.permutation(np.tile(np.arange(len(x)), 2))
    frozen = layers({"type": "dense", "units": 16, "trainable": False}, "relu", "dense")
    sigmoid = {"activation": "sigmoid", "initializer": {"type": "normal", "deviation": 30}}
    hidden = ({"type": "dense", "units": 16}, "relu")
    return {
        "targets shifted by a row": (set_up(), (x, np.roll(y, 1)), "row order"),
        "a leaking column": (set_up(), (told, y), "data: leak"),
        "rows doubled across parts": (set_up(), (x[twice], y[twice]), "data: rows in two parts"),
        "an unscaled input": (set_up(dataset__transforms=[]), (large, y), "inputs"),
        "all-zero weights": (set_up(model__initializer="zeros"), (x, y), "initial weights"),
        "a rate 1000 times too high": (set_up(optimizer__lr=10.0), (x, y), "learning rate"),
        "a rate 1000 times too low": (set_up(optimizer__lr=1e-5), (x, y), "learning rate"),
        "a frozen layer": (set_up(model=frozen), (x, y), "initial weights"),
        "saturated sigmoids": (set_up(model=set_up()["model"] | sigmoid), (x, y), "units"),
        "softmax twice in a loss": (set_up(plugins=plugins, loss="doubled"), (x, y), "one batch"),
        "softmax twice in a layer": (
            set_up(plugins=plugins, model=layers(*hidden, "dense", "normalize")),
            (x, y),
            "one batch",
        ),
        "classes in another order": (
            set_up(plugins=plugins, loss="reversed"),
            (x, y),
            "class order",
        ),
        "a constant input": (set_up(), (constant, y), "inputs"),
        "a layer that knows a row's place": (
            set_up(plugins=plugins, model=layers("place", *hidden, "dense")),
            (x, y),
            "batch order",
        ),
        "a layer without a gradient": (
            set_up(plugins=plugins, model=layers(*hidden, "detached", "dense")),
            (x, y),
            "gradients",
        ),
    }


MODULES = {
    "row order": "row_order",
    "data: leak": "data_suspicions",
    "data: rows in two parts": "data_suspicions",
    "inputs": "inputs",
    "initial weights": "initial_weights",
    "learning rate": "learning_rate",
    "units": "units",
    "one batch": "one_batch",
    "class order": "class_order",
    "batch order": "batch_order",
    "gradients": "gradients",
}
PLANTED = [
    "targets shifted by a row",
    "a leaking column",
    "rows doubled across parts",
    "an unscaled input",
    "all-zero weights",
    "a rate 1000 times too high",
    "a rate 1000 times too low",
    "a frozen layer",
    "saturated sigmoids",
    "softmax twice in a loss",
    "softmax twice in a layer",
    "classes in another order",
    "a constant input",
    "a layer that knows a row's place",
    "a layer without a gradient",
]


HEALTHY = [
    "iris", "digits", "wine_quality", "california_housing", "adult", "xor", "triangle", "spirals", "sine",
    "autoencoder", "semeion", "perceptron", "descent", "own_components",
]  # fmt: skip


def test_every_fault_is_tried(tmp_path, blobs, set_up):
    assert list(faults(tmp_path, blobs, set_up)) == PLANTED


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_named_by_its_check(tmp_path, blobs, set_up, findings, fault):
    config, data, name = faults(tmp_path, blobs, set_up)[fault]
    found = findings(config, data, MODULES[name])
    named = [one for one in found if one.name == name and one.status in ("warning", "failed")]
    assert named and all(one.message and one.remedy for one in named), found


@pytest.mark.slow
@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_named_among_all_checks(tmp_path, blobs, set_up, fault):
    config, data, name = faults(tmp_path, blobs, set_up)[fault]
    examination = nettrain.doctor(config, data=data, allow_plugins=True, seconds=3)
    assert name in {one.name for one in examination.findings if one.remedy}
    assert examination.passed == (fault in ("a frozen layer", "a constant input"))


@pytest.mark.slow
@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_set_up_of_the_examples_passes(name):
    path = CONFIGS / f"{name}.yaml"
    examination = nettrain.doctor(path, allow_plugins=True, seconds=4)
    assert examination.passed, examination.with_status("failed")
    warned = [one.name for one in examination.with_status("warning")]
    assert all(one.startswith("data: ") for one in warned), examination.with_status("warning")
