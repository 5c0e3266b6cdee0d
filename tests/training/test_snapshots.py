"""Snapshots: which epochs, the same bytes after any break, no bit of the training changed, and what is refused."""

import sys

import numpy as np
import pytest

import nettrain
from nettrain.errors import CheckpointError, RunError
from nettrain.inference.load import load
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.artifacts.snapshots import (
    Snapshots,
    read_snapshot,
    snapshot_bytes,
    snapshot_count,
)
from nettrain.training.artifacts.weights import Weights
from nettrain.training.callbacks import Callback
from nettrain.training.loop import Interrupted


class Watch(Callback):
    """The weights at the beginning and after each epoch."""

    def __init__(self):
        self.weights = {}

    def begin(self, run):
        self.weights.setdefault(run.progress.epoch, run.network.vector.values.copy())

    def epoch_end(self, run, row):
        self.weights[run.progress.epoch] = run.network.vector.values.copy()


@pytest.fixture
def train(toy, data, tmp_path):
    def trained(name, changes=None, callbacks=()):
        config = toy({"training.snapshots": 2} | (changes or {}))
        nettrain.train(
            config, data, output_directory=tmp_path, run_name=name, callbacks=list(callbacks)
        )
        return tmp_path / name

    return trained


def files(run):
    """The bytes of each snapshot by the name of its file."""
    return {path.name: path.read_bytes() for path in (run / "snapshots").iterdir()}


@pytest.mark.parametrize(("every", "epochs"), [
    (1, [0, 1, 2, 3, 4, 5, 6]),
    (4, [0, 4]),
    (50, [0]),
])  # fmt: skip
def test_snapshots_are_the_weights_of_their_epochs(train, every, epochs):
    watch = Watch()
    run = train("run", {"training.snapshots": every}, [watch])
    paths = Snapshots(run / "snapshots").paths()
    assert list(paths) == epochs
    for epoch, path in paths.items():
        found = read_snapshot(path).group("parameters")
        assert sum(array.sum() for array in found.values()) == pytest.approx(
            watch.weights[epoch].sum()
        )
        assert np.array_equal(found["dense_1.w"].ravel(), watch.weights[epoch][:18])


def test_snapshots_change_no_bit_of_a_run_and_are_off_by_default(train, figures):
    without, with_them = train("without", {"training.snapshots": None}), train("with")
    assert not (without / "snapshots").exists()
    found = figures(with_them)
    assert found["last.content"]["callbacks"].pop("SnapshotWriter") == {}
    assert found == figures(without)


@pytest.mark.parametrize("how", ["kill", "SIGTERM"])
@pytest.mark.parametrize("batch", [1, 4, 9, 12, 17, 24])
def test_a_resumed_run_has_exactly_the_snapshots_of_an_uninterrupted_one(
    train, stop_at, killed, data, tmp_path, every_epoch, how, batch
):
    whole = train("whole")
    with pytest.raises((killed, Interrupted)):
        train("broken", callbacks=[stop_at(batch, how)])
    nettrain.resume(tmp_path / "broken", data)
    assert files(tmp_path / "broken") == files(whole)


def test_snapshots_after_the_last_checkpoint_are_cut(train, stop_at, killed, data, tmp_path):
    whole = train("whole")
    with pytest.raises(killed):  # no second has passed: the only checkpoint is none
        train("broken", callbacks=[stop_at(23, "kill")])
    stray = tmp_path / "broken" / "snapshots" / "epoch-000005.safetensors"
    stray.write_bytes(b"of an epoch that is trained again")
    nettrain.resume(tmp_path / "broken", data)
    assert files(tmp_path / "broken") == files(whole)


def test_an_extended_run_goes_on_with_its_snapshots(train, data, tmp_path):
    run, longer = train("run"), train("longer", {"training.epochs": 10})
    nettrain.resume(run, data, sets=["training.epochs=10"])
    assert files(run) == files(longer)
    with pytest.raises(RunError, match=r"training\.snapshots cannot change"):
        nettrain.resume(run, data, sets=["training.snapshots=3"])


def test_a_snapshot_holds_the_average_and_the_state_too(train):
    layers = [{"type": "dense", "units": 4}, "batch_norm", "dense"]
    run = train(
        "run",
        {
            "model": {"type": "sequential", "layers": layers},
            "training.ema": 0.9,
            "regularization": {},
        },
    )
    groups = {name.partition(".")[0] for name in read_snapshot(
        Snapshots(run / "snapshots").paths()[2]).tensors}  # fmt: skip
    assert groups == {"parameters", "average", "state"}


def test_an_overwritten_run_takes_its_snapshots_with_it(train, toy, data, tmp_path):
    run = train("run", {"training.snapshots": 1})
    config = toy({"training.snapshots": 3})
    nettrain.train(config, data, output_directory=tmp_path, run_name="run", overwrite=True)
    assert sorted(files(run)) == [f"epoch-{epoch:06}.safetensors" for epoch in (0, 3, 6)]


def test_what_is_no_snapshot_is_named(train):
    run = train("run")
    first, *_, last = Snapshots(run / "snapshots").paths().values()
    with pytest.raises(CheckpointError, match="holds weights alone; name the run directory"):
        load(first)
    last.write_bytes(last.read_bytes()[:-5])
    with pytest.raises(CheckpointError, match=r"cut short.*remove this file"):
        read_snapshot(last)
    Checkpoint({}, {"epoch": 1}).write(last)
    with pytest.raises(CheckpointError, match="is no snapshot"):
        read_snapshot(last)


@pytest.fixture
def vector():
    return Network([Layer.parse({"type": "dense", "units": 2})], (3,)).vector


@pytest.mark.parametrize("epoch", [0, 12, 1_234_567])
def test_a_snapshot_is_a_file_that_is_called_after_its_epoch(tmp_path, vector, epoch):
    snapshots = Snapshots(tmp_path / "snapshots")
    for first in (1.0, 2.0):  # an epoch that is trained again
        snapshots.write(epoch, Weights(np.arange(first, first + 8, dtype=np.float32)), vector)
    assert snapshots.paths() == {epoch: tmp_path / "snapshots" / f"epoch-{epoch:06}.safetensors"}
    found = read_snapshot(snapshots.paths()[epoch])
    assert found.content == {"format": 1, "snapshot": True, "epoch": epoch}
    assert sorted(found.group("parameters")) == ["dense_1.b", "dense_1.w"]
    assert sum(array.sum() for array in found.tensors.values()) == 44


def test_a_folder_of_snapshots_that_cannot_be_made_or_emptied_is_named(tmp_path, vector):
    folder = tmp_path / "none" / "snapshots"
    with pytest.raises(RunError) as error:
        Snapshots(folder).write(0, Weights(np.zeros(8, np.float32)), vector)
    assert str(error.value).startswith(f"{folder}: cannot be written: No such file")
    assert Snapshots(folder).paths() == {}
    (tmp_path / "epoch-000001.safetensors").mkdir()
    with pytest.raises(RunError) as error:
        Snapshots(tmp_path).cut(0)
    assert str(error.value).startswith(f"{tmp_path}: cannot be written: ")


def test_snapshots_are_found_in_the_order_of_their_epochs_and_cut_behind_one(tmp_path):
    names = ["epoch-1000000", "epoch-000002", "epoch-000010"]
    others = ["epoch-1.txt", "epoch-x.safetensors", "last.safetensors"]
    if sys.getfilesystemencoding() == "utf-8":
        others.append("epoch-\u0663.safetensors")  # a three in Arabic
    for name in [*(f"{name}.safetensors" for name in names), *others]:
        (tmp_path / name).write_text("")
    snapshots = Snapshots(tmp_path)
    assert list(snapshots.paths()) == [2, 10, 1_000_000]
    snapshots.cut(10)
    assert list(snapshots.paths()) == [2, 10]
    assert snapshots.paths()[2] == tmp_path / "epoch-000002.safetensors"
    snapshots.cut(9)
    assert list(snapshots.paths()) == [2] and all((tmp_path / name).exists() for name in others)


@pytest.mark.parametrize(("epochs", "every", "count"), [(6, 1, 7), (6, 4, 2), (7, 8, 1), (8, 4, 3)])
def test_a_whole_run_has_one_of_epoch_0_and_one_every_few_epochs(epochs, every, count):
    assert snapshot_count(epochs, every) == count


def test_the_size_of_a_snapshot_is_that_of_its_arrays():
    trained, state = np.zeros(8, np.float32), {"a": np.zeros(2), "b": np.zeros(3, np.float32)}
    assert snapshot_bytes(Weights(trained)) == 32
    assert snapshot_bytes(Weights(trained, state=state)) == 32 + 16 + 12
    assert snapshot_bytes(Weights(trained, trained.copy(), state)) == 2 * 32 + 16 + 12
