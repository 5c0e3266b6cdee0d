"""A profile changes no bit, tells every layer's time, and its lines add up to the step."""

import numpy as np
import pytest

from nettrain import streams
from nettrain.activations.relu import Relu
from nettrain.inspection import flops
from nettrain.inspection import profile as profile_module
from nettrain.inspection.flops import Flops, layer_flops, sgemm_peak
from nettrain.inspection.profile import Profile
from nettrain.layers.activation import Activation
from nettrain.layers.dense import Dense
from nettrain.layers.dropout import Dropout
from nettrain.layers.residual import Residual
from nettrain.nn.network import Network
from nettrain.training.callbacks import Callback
from nettrain.training.resume import resume
from nettrain.training.train import train

X = streams.generator(0, "profile").normal(size=(50, 6))
Y = np.array(["a", "b", "c"])[np.arange(50) % 3]
MODELS = {
    "fused": {"type": "mlp", "hidden": [8, 8]},
    "batch norm": {"type": "mlp", "hidden": [8], "batch_norm": True},
    "nested": {
        "type": "sequential",
        "layers": [
            {"type": "residual", "layers": [{"type": "dense", "units": 6}, "tanh"]},
            "dense",
        ],
    },
    "probe": {
        "type": "sequential",
        "layers": [{"type": "dense", "units": 6}, {"type": "probe", "every": 1000}, "dense"],
    },
}
ADAM, LBFGS = {"type": "adam"}, {"type": "lbfgs"}


@pytest.fixture(autouse=True)
def peak(monkeypatch):
    monkeypatch.setattr(profile_module, "sgemm_peak", lambda threads: 100.0)


def config(model, **training):
    return {
        "dataset": {"split": "none"},
        "model": MODELS[model],
        "training": {"epochs": 3, "batch_size": 16} | training,
    }


def profiled(tmp_path, wanted, **options):
    profile = Profile()
    train(
        wanted,
        (X, Y),
        output_directory=tmp_path,
        run_name="profiled",
        callbacks=[profile],
        **options,
    )
    return profile


@pytest.mark.parametrize("changes", [
    {"model": "fused"}, {"model": "fused", "shards": 3}, {"model": "batch norm", "shards": 2}, {"model": "nested"}, {"model": "probe"},
    {"model": "fused", "accumulate": 2, "ema": 0.9},
], ids=str)  # fmt: skip
def test_a_profile_changes_no_bit(tmp_path, figures, changes):
    profiled(tmp_path, config(**changes), threads=2)
    train(config(**changes), (X, Y), output_directory=tmp_path, run_name="plain")
    assert figures(tmp_path / "profiled") == figures(tmp_path / "plain")


@pytest.mark.parametrize("optimizer", [ADAM, LBFGS], ids=str)
def test_the_lines_add_up_to_the_step(tmp_path, optimizer):
    wanted = config("fused", epochs=6, batch_size=None) | {"optimizer": optimizer}
    profile = profiled(tmp_path, wanted)
    assert profile.steps == 5  # but for the one that recorded the plan
    assert sum(part.ms for part in profile.parts()) == pytest.approx(profile.total().ms, rel=1e-6)
    assert all(part.ms > 0 for part in profile.parts())


def test_a_fused_activation_counts_for_the_layer_before(tmp_path):
    profile = profiled(tmp_path, config("fused"))
    lines = {part.name: part for part in profile.parts()}
    assert list(lines)[:4] == ["dense_1", "dense_2", "dense_3", "loss"]
    assert profile.fused == ["activation_1", "activation_2"]
    assert all(lines[name].forward > 0 and lines[name].backward > 0 for name in list(lines)[:4])
    assert profile.steps == 10  # 3 epochs of 4, the first of 16 and of 2 rows recorded plans


@pytest.mark.parametrize("shards", [1, 2])
def test_layers_that_are_not_fused_have_lines_of_their_own(tmp_path, shards):
    profile = profiled(tmp_path, config("batch norm", shards=shards))
    lines = [part.name for part in profile.parts()]
    assert lines[:4] == ["dense_1", "batch_norm_1", "dense_2", "loss"]
    assert profile.fused == ["activation_1"]


def test_a_layer_inside_a_layer_counts_for_the_outer_one(tmp_path):
    assert [part.name for part in profiled(tmp_path, config("nested")).parts()][:3] == [
        "residual_1",
        "dense_1",
        "loss",
    ]


def test_the_rate_counts_the_products_of_all_rows(tmp_path):
    profile = profiled(tmp_path, config("fused", batch_size=10))
    once = 2 * (6 * 8 + 8 * 8 + 8 * 3)
    done = profile.steps * 10 * (3 * once - 2 * 6 * 8)
    assert profile.total().gflops == pytest.approx(
        done / (profile.steps * profile.total().ms * 1e6)
    )


class Eagerly(Callback):
    def begin(self, run):
        run.step.computation.replay = False


def test_a_run_that_runs_eagerly_is_told_as_a_whole(tmp_path):
    profile = Profile()
    train(config("fused"), (X, Y), output_directory=tmp_path, callbacks=[Eagerly(), profile])
    assert profile.steps == 12
    names = [part.name for part in profile.parts()]
    assert names == [
        "gather the batch",
        "update",
        "between layers (threads, sums over shards)",
        "other",
    ]


def test_a_resumed_run_can_be_profiled(tmp_path):
    train(config("fused"), (X, Y), output_directory=tmp_path, run_name="run")
    profile = Profile()
    resume(tmp_path / "run", (X, Y), sets=["training.epochs=5"], threads=1, callbacks=[profile])
    assert (profile.steps, profile.epochs) == (6, 2)


def dense(units, **marks):
    return Dense(units=units, **marks)


@pytest.mark.parametrize(("layers", "expected"), [
    ([dense(4), Activation(function=Relu()), dense(3)], {"dense_1": (40, 40), "activation_1": (0, 0), "dense_2": (24, 48)}),
    ([Dropout(rate=0.5), dense(4)], {"dropout_1": (0, 0), "dense_1": (40, 40)}),
    ([dense(4, trainable=False), dense(3)], {"dense_1": (40, 0), "dense_2": (24, 24)}),
    ([dense(4), dense(3, trainable=False), dense(2)], {"dense_1": (40, 40), "dense_2": (24, 24), "dense_3": (12, 24)}),
    ([Residual(layers=(dense(5),)), dense(3)], {"residual_1": (50, 50), "dense_1": (30, 60)}),
])  # fmt: skip
def test_only_the_products_that_a_step_makes_are_counted(layers, expected):
    assert layer_flops(Network(layers, (5,))) == {
        name: Flops(*pair) for name, pair in expected.items()
    }


def test_the_peak_is_the_rate_of_the_fastest_product(monkeypatch):
    """On a clock in steps of 2, 1 and 4 seconds the fastest product counts: 2 n^3 in one second."""
    ticks = iter([0, 2, 10, 11, 20, 24, *range(100, 200)])
    monkeypatch.setattr(flops.time, "perf_counter", lambda: next(ticks))
    monkeypatch.setattr(flops, "TRIES", 3)
    assert sgemm_peak(1) == 2 * flops.SIZE**3 / 1e9
