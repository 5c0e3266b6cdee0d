"""Why a run diverged: the batch, the operation, the rows; and a reproduction that diverges too."""

import json

import numpy as np
import pytest

import nettrain
from nettrain.errors import CheckpointError, ConfigError, Diverged, NettrainError, RunError
from nettrain.inspection.autopsy import autopsy
from nettrain.training.callbacks import Callback, checkpoints

ROWS = 40
X = np.random.Generator(np.random.PCG64(0)).normal(size=(ROWS, 3)).round(3)
LABELS = np.array(["red", "green", "blue"])[(X[:, 0] > 0) * 1 + (X[:, 1] > 0.5)]
DIVERGING = {
    "seed": 3,
    "dataset": {
        "source": {"type": "csv", "path": "rows.csv", "target": "y"},
        "split": {"validation": 0.25},
    },
    "model": {"type": "mlp", "hidden": [6], "activation": "identity"},
    "optimizer": {"type": "sgd", "lr": 1e25},
    "training": {"epochs": 5, "batch_size": 8},
}


class Poison(Callback):
    """After a batch of an epoch, puts a value into a parameter."""

    def __init__(self, epoch, batch, name, value, index=0):
        self.place, self.name, self.value, self.index = (epoch, batch), name, value, index

    def batch_end(self, run):
        if (run.progress.epoch + 1, run.progress.batch) == self.place:
            run.network.vector.views[self.name].flat[self.index] = self.value


@pytest.fixture
def diverge(tmp_path):
    """Trains a run that diverges; returns its directory."""

    def path(changes=(), *, targets=LABELS, features=X, callbacks=(), data=None):
        lines = [",".join(map(str, [*x, y])) for x, y in zip(features, targets, strict=True)]
        (tmp_path / "rows.csv").write_text("\n".join(["a,b,c,y", *lines, ""]))
        source = {**DIVERGING["dataset"]["source"], "path": str(tmp_path / "rows.csv")}
        config = {**DIVERGING, "dataset": {**DIVERGING["dataset"], "source": source}}
        with pytest.raises(Diverged):
            nettrain.train(
                config,
                data,
                sets=changes,
                output_directory=tmp_path,
                run_name="run",
                callbacks=callbacks,
            )
        return tmp_path / "run"

    return path


MODELS = {
    "classes": ([], LABELS),
    "numbers": (["loss=mse"], X[:, 0] * 2.5),
    "momentum": (["optimizer={type: momentum, lr: 1e25}"], LABELS),
    "dropout": (["regularization.dropout=0.5"], LABELS),
    "batch norm": (["model.batch_norm=true", "optimizer.lr=1e37", "loss=mse"], X[:, 0] * 2.5),
    "micro-batches": (["training.accumulate=2"], LABELS),
    "class weights": (["training.class_weights=balanced"], LABELS),
    "average": (["training.ema=0.9"], LABELS),
    "autoencoder": (["dataset.target=self", "loss=mse"], LABELS),
}


@pytest.mark.parametrize("model", MODELS)
def test_the_operation_and_its_rows_are_named_and_the_reproduction_diverges(
    diverge, tmp_path, model
):
    changes, targets = MODELS[model]
    if model == "autoencoder":
        changes = [*changes, "dataset.source.target=[]", "dataset.source.ignore=[y]"]
    run = diverge(changes, targets=targets)
    result = autopsy(run, output=tmp_path / "reproduction")
    recorded = json.loads((run / "summary.json").read_text())["message"]
    assert result.message == recorded and f"diverged in epoch {result.epoch}" in recorded
    assert result.cause is not None and not np.isfinite(result.cause.value)
    train = np.load(run / "splits.npz")["train"].tolist()
    assert result.rows and {row.row for row in result.rows} <= set(train)
    assert result.reproduction.diverges or model == "momentum"
    if result.reproduction.diverges:
        with pytest.raises(Diverged):
            nettrain.train(tmp_path / "reproduction" / "config.yaml", output_directory=tmp_path)


def test_only_the_row_whose_number_overflows_is_named_and_reproduced(diverge, tmp_path):
    features, row = X.copy(), 7
    features[row, 1] = 3e38
    changes = ["dataset.transforms=[]", "optimizer.lr=0.01", "loss=mse"]
    changes += ["dataset.split={rows: {train: [0, 40]}}"]
    run = diverge(changes, targets=X[:, 0] * 2.5, features=features)
    result = autopsy(run, output=tmp_path / "reproduction")
    assert (result.epoch, result.cause.direction) == (1, "forward")
    assert [(one.row, one.input) for one in result.rows] == [(row, "b")]
    assert result.reproduction.rows == (row,) and result.reproduction.diverges
    assert (tmp_path / "reproduction" / "rows.csv").read_text().startswith("a,b,c,target\n")


def test_a_parameter_that_the_update_broke_is_named(diverge):
    run = diverge(["optimizer.lr=0.1"], callbacks=[Poison(2, 3, "dense_2.b", np.nan)])
    result = autopsy(run, callbacks=[Poison(2, 3, "dense_2.b", np.nan)])
    assert (result.epoch, result.batch, result.cause.direction) == (2, 3, "update")
    assert (result.cause.result, result.cause.index, result.cause.layer) == (
        "dense_2.b", (0,), "dense_2",
    )  # fmt: skip


def test_a_gradient_that_overflows_is_found_in_the_backward_pass(diverge):
    # h = 0, so the outputs are 0; but d h = w / 8, and d w = x^T d h is 1000 times as large.
    poison = [Poison(1, 1, "dense_1.w", 0.0, i) for i in range(3)]
    poison += [Poison(1, 1, "dense_1.b", 0.0), Poison(1, 1, "dense_2.w", 3e38)]
    changes = ["loss=mae", "dataset.transforms=[]", "model.hidden=[1]", "optimizer.lr=1e-30"]
    run = diverge(changes, targets=X[:, 0] * 2.5, features=X * 1e3, callbacks=poison)
    cause = autopsy(run, callbacks=poison).cause
    assert (cause.direction, cause.operation, cause.layer) == ("backward", "matmul", "dense_1")
    assert cause.result == "d dense_1.w" and cause.shared


def test_the_replay_begins_at_the_last_checkpoint(diverge, monkeypatch):
    monkeypatch.setattr(checkpoints, "BETWEEN_EPOCHS", 0.0)
    poison = [Poison(4, 2, "dense_1.w", np.inf)]
    run = diverge(["optimizer.lr=0.1"], callbacks=poison)
    seen = []

    class Watch(Callback):
        def begin(self, run):
            seen.append(run.progress.epoch)

    result = autopsy(run, callbacks=[*poison, Watch()])
    assert seen == [3] and (result.epoch, result.batch) == (4, 2)
    assert result.start == "epoch 4, batch 1 (last.safetensors)"


def test_the_run_is_only_read(diverge):
    run = diverge()
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    autopsy(run)
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_images_are_reproduced_from_arrays(diverge, tmp_path):
    images = np.random.Generator(np.random.PCG64(1)).normal(size=(ROWS, 4, 4, 1))
    model = "model={type: cnn, blocks: [{filters: 2}]}"
    run = diverge([model, "dataset.transforms=[]"], data=(images, LABELS))
    result = autopsy(run, data=(images, LABELS), output=tmp_path / "reproduction")
    assert result.reproduction.diverges
    assert np.load(tmp_path / "reproduction" / "rows.npz")["x"].shape[1:] == (4, 4, 1)


def _changed_data(run):
    lines = (run.parent / "rows.csv").read_text().splitlines()
    (run.parent / "rows.csv").write_text("\n".join([*lines[:-1], "9,9,9,red", ""]))


def _edited(run):
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace("lr: 1e+25", "lr: 0.01"))


FAULTS = {
    "another end": (
        lambda run: (run / "summary.json").write_text("{}"), "did not diverge (interrupted)",
    ),
    "data that has changed": (_changed_data, "the data has changed"),
    "data that is gone": (lambda run: (run.parent / "rows.csv").unlink(), "rows.csv"),
    "no configuration": (lambda run: (run / "config.yaml").unlink(), "run directory"),
    "a configuration that does not diverge": (_edited, "does not diverge when it is trained again"),
    "a directory that exists": (lambda run: (run.parent / "out").mkdir(), "out: exists"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("checkpoint", [False, True])
def test_what_cannot_be_dissected_is_named(diverge, monkeypatch, fault, checkpoint):
    breaks, message = FAULTS[fault]
    if checkpoint:
        monkeypatch.setattr(checkpoints, "BETWEEN_EPOCHS", 0.0)
    run = diverge()
    breaks(run)
    with pytest.raises(NettrainError) as error:
        autopsy(run, output=run.parent / "out")
    assert message in str(error.value) and "nettrain-" not in str(error.value)


def test_arrays_in_memory_must_be_given(diverge):
    run = diverge(data=(X, LABELS))
    with pytest.raises(RunError, match=r"arrays in memory.*data=\(x, y\)"):
        autopsy(run)
    assert autopsy(run, data=(X, LABELS)).cause is not None


def test_plugins_need_permission(diverge, tmp_path):
    (tmp_path / "plugin.py").write_text("")
    run = diverge()
    config = (run / "config.yaml").read_text()
    plugin = f"plugins: ['{tmp_path / 'plugin.py'}']"
    (run / "config.yaml").write_text(config.replace("plugins: []", plugin))
    with pytest.raises((ConfigError, CheckpointError), match="allow-plugins"):
        autopsy(run)
