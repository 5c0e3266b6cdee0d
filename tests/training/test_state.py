"""The state of layers in a run: moved on by steps of training alone, replayed as computed, saved, and brought back."""

import numpy as np
import pytest

import nettrain
from nettrain.config.load import load
from nettrain.errors import CheckpointError, ConfigError
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.train import prepare_run

NORM = {"type": "batch_norm", "momentum": 0.3}
NESTED = {
    "type": "sequential",
    "layers": [
        NORM,
        {"type": "gaussian_noise", "deviation": 0.2},
        {"type": "dense", "units": 4},
        {
            "type": "residual",
            "layers": [
                {"type": "dense", "units": 4},
                NORM,
                "prelu",
                {"type": "dropout", "rate": 0.2},
            ],
        },
        {
            "type": "parallel",
            "branches": [[{"type": "dense", "units": 2}, NORM], [{"type": "layer_norm"}], []],
        },
        {"type": "dense"},
    ],
}
CHANGES = {"model": NESTED, "regularization": {"l2": 1e-3}}


@pytest.fixture
def prepared(toy, data):
    """A run before its first batch."""
    return lambda changes: prepare_run(load(toy(CHANGES | changes)), data)


@pytest.mark.parametrize("changes", [{}, {"training.ema": 0.9}, {"early_stopping": None}])
@pytest.mark.parametrize("batch", [1, 4, 7])
def test_resuming_brings_running_statistics_back_to_the_bit(
    toy, data, tmp_path, figures, killed, stop_at, every_epoch, batch, changes
):
    config = toy(CHANGES | changes)
    nettrain.train(config, data=data, output_directory=tmp_path, run_name="whole")
    with pytest.raises(killed):
        nettrain.train(
            config,
            data=data,
            output_directory=tmp_path,
            run_name="broken",
            callbacks=[stop_at(batch, "kill")],
        )
    nettrain.resume(tmp_path / "broken", data)
    assert figures(tmp_path / "broken") == figures(tmp_path / "whole")
    last = Checkpoint.read(tmp_path / "whole" / "checkpoints" / "last.safetensors").group("state")
    assert set(last) == {
        f"{layer}.{key}" for key in ("mean", "variance")
        for layer in ("batch_norm_1", "residual_1.batch_norm_1", "parallel_1.branch_1.batch_norm_1")
    }  # fmt: skip
    assert all(
        (array != start).all()
        for name, array in last.items()
        for start in [name.endswith("variance") * 1.0]
    )


def test_a_loaded_model_predicts_with_the_statistics_of_its_best_epoch(toy, data, tmp_path):
    result = nettrain.train(
        toy(CHANGES | {"dataset": {"source": "memory", "split": "none"}}),
        data=data,
        output_directory=tmp_path,
        run_name="run",
    )
    found = nettrain.load(tmp_path / "run").evaluate(*data)
    assert found == pytest.approx(result.metrics["train"], rel=1e-6)


def test_the_best_checkpoint_has_the_statistics_of_its_epoch_and_not_of_the_last(
    toy, data, tmp_path
):
    changes = CHANGES | {"optimizer.lr": 0.3, "training.epochs": 8}
    result = nettrain.train(toy(changes), data=data, output_directory=tmp_path, run_name="whole")
    assert 1 <= result.best_epoch < 8
    nettrain.train(
        toy(changes | {"training.epochs": result.best_epoch}),
        data=data,
        output_directory=tmp_path,
        run_name="until",
    )
    best, until = (
        Checkpoint.read(tmp_path / run / "checkpoints" / f"{name}.safetensors").group("state")
        for run, name in (("whole", "best"), ("until", "last"))
    )
    assert {name: array.tobytes() for name, array in best.items()} == {
        name: array.tobytes() for name, array in until.items()
    }


@pytest.mark.parametrize("optimizer", ["sgd", "lbfgs"])
def test_replayed_steps_leave_the_state_of_eager_ones(prepared, optimizer):
    changes = {
        "optimizer": {"type": optimizer},
        "training.batch_size": None if optimizer == "lbfgs" else 8,
    }
    replayed, eager = prepared(changes), prepared(changes)
    eager.step.computation.replay = False
    batches = (
        [np.arange(30)]
        if optimizer == "lbfgs"
        else [np.arange(8), np.arange(8, 16), np.arange(16, 21), np.arange(8)]
    )
    for rows in batches:
        assert replayed.step(rows, 0.1) == eager.step(rows, 0.1)
        for name, array in replayed.network.state.items():
            np.testing.assert_array_equal(array, eager.network.state[name])
        np.testing.assert_array_equal(replayed.network.vector.values, eager.network.vector.values)


def test_running_statistics_move_once_a_step_whatever_the_optimizer_tries(prepared):
    for optimizer in ("sgd", "lbfgs", "random_search"):
        run = prepared(
            {
                "optimizer": {"type": optimizer},
                "training.batch_size": None,
                "model.layers": [NORM, {"type": "dense"}],
            }
        )
        x = run.step.part.x[:30]
        run.step(np.arange(30), 0.1)
        np.testing.assert_allclose(
            run.network.state["batch_norm_1.mean"], 0.3 * x.mean(axis=0), rtol=1e-5, atol=1e-7
        )
        np.testing.assert_allclose(
            run.network.state["batch_norm_1.variance"], 0.7 + 0.3 * x.var(axis=0, ddof=1), rtol=1e-5
        )


def test_a_loss_that_is_not_finite_leaves_the_state_alone(prepared):
    run = prepared({})
    run.step.part.x[3] = np.inf
    before = {name: array.copy() for name, array in run.network.state.items()}
    with np.errstate(all="ignore"):
        assert not np.isfinite(run.step(np.arange(8), 0.1))
    for name, array in run.network.state.items():
        np.testing.assert_array_equal(array, before[name])


def test_a_checkpoint_without_the_state_that_the_model_wants_is_told(toy, data, tmp_path):
    nettrain.train(toy(CHANGES), data=data, output_directory=tmp_path, run_name="run")
    path = tmp_path / "run" / "checkpoints" / "best.safetensors"
    whole = Checkpoint.read(path)
    Checkpoint(
        {name: t for name, t in whole.tensors.items() if name != "state.batch_norm_1.mean"},
        whole.content,
    ).write(path)
    with pytest.raises(
        CheckpointError, match=r"batch_norm_1\.mean has shape none, the model wants \(3,\)"
    ):
        nettrain.load(path)


def test_what_a_probe_tells_goes_to_people_and_into_the_log_and_changes_no_bit(
    toy, data, tmp_path, capsys, figures
):
    dense, last = {"type": "dense", "units": 4}, {"type": "dense"}
    for name, probe in (("with", [{"type": "probe", "every": 10}]), ("without", ["identity"])):
        config = toy(
            {
                "model": {"type": "sequential", "layers": [dense, "tanh", *probe, last]},
                "regularization": {},
            }
        )
        nettrain.train(config, data=data, output_directory=tmp_path, run_name=name)
    assert figures(tmp_path / "with") == figures(tmp_path / "without")
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("probe_1")]
    assert [line.partition(":")[2].partition(":")[0] for line in said] == [
        f" step {step}, {what}" for step in (1, 11, 21) for what in ("values", "gradient")
    ]
    log = (tmp_path / "with" / "log.txt").read_text()
    assert all(line in log for line in said)


@pytest.mark.parametrize(("layers", "place"), [
    ([{"type": "dense", "units": 3}, NORM, {"type": "dense"}], "batch_norm_1"),
    ([{"type": "residual", "layers": ["relu", NORM]}, {"type": "dense"}], "residual_1"),
])  # fmt: skip
def test_batch_norm_over_single_rows_is_told(prepared, layers, place):
    with pytest.raises(ConfigError) as error:
        prepared({"model.layers": layers, "training.batch_size": 1})
    assert str(error.value).startswith(
        f"training.batch_size: {place} normalizes over the rows of a batch and needs at least 2 of them"
    )
    assert "layer_norm" in str(error.value)
    prepared({"model.layers": layers, "training.batch_size": 2})
    for single in ({"type": "layer_norm"}, NORM | {"trainable": False}):
        prepared({"model.layers": [single, {"type": "dense"}], "training.batch_size": 1})
