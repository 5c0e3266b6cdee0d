"""What a checkpoint is asked for: tensors by name, metadata alone, its configuration and plugins, a number kept in it."""

from pathlib import Path

import numpy as np
import pytest

from nettrain.errors import CheckpointError, ConfigError
from nettrain.training.artifacts import checkpoint as module
from nettrain.training.artifacts.checkpoint import (
    Checkpoint,
    configuration,
    keep_number,
    recorded_plugins,
)

FILE = Path("runs/a.safetensors")
CONFIG = {"dataset": {"source": "memory"}, "model": {"type": "mlp", "hidden": [3]}}
TENSORS = {
    "average.w": np.arange(3.0), "parameters.w": np.arange(4, dtype=np.float32), "conformal.scores": np.ones(2),
    "conformal": np.zeros(1), "state.average.w": np.zeros(2),
}  # fmt: skip


def same(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert array.dtype == other[name].dtype and np.array_equal(array, other[name]), name


def test_tensors_are_found_by_group_and_those_of_a_calibration_left_out():
    checkpoint = Checkpoint(TENSORS, {})
    assert list(checkpoint.group("average")) == ["w"]
    assert checkpoint.group("average")["w"] is TENSORS["average.w"]
    assert checkpoint.group("none") == {}
    assert list(checkpoint.trained) == [*TENSORS][:2] + [*TENSORS][3:]
    assert checkpoint.trained["parameters.w"] is TENSORS["parameters.w"]


@pytest.mark.parametrize(("name", "like", "found"), [
    ("average.w", np.zeros(3, np.float32), None),
    ("average.w", np.zeros(4), r"of shape \(3,\), float64, expected the shape \(4,\), float64"),
    ("average.w", np.zeros(3, int), r"of shape \(3,\), float64, expected the shape \(3,\), int64"),
    ("x", np.zeros(3), r"missing, expected the shape \(3,\), float64"),
])  # fmt: skip
def test_a_tensor_has_the_shape_and_kind_of_number_that_is_asked_for(name, like, found):
    checkpoint = Checkpoint(TENSORS, {})
    if found is None:
        assert checkpoint.tensor(name, like, FILE) is TENSORS[name]
    else:
        with pytest.raises(CheckpointError, match=rf"^{FILE}: {name} is {found}"):
            checkpoint.tensor(name, like, FILE)


@pytest.mark.parametrize("tensors", [TENSORS, {}])
def test_the_bytes_of_a_checkpoint_are_read_from_memory_and_from_a_file(tmp_path, tensors):
    checkpoint, file = Checkpoint(tensors, {"config": CONFIG}), tmp_path / "a.safetensors"
    checkpoint.write(file)
    for found in (Checkpoint.from_bytes(checkpoint.to_bytes(), FILE), Checkpoint.read(file)):
        same(found.tensors, tensors)
        assert found.content == {"format": 1, "config": CONFIG}
    assert file.read_bytes() == checkpoint.to_bytes()
    assert Checkpoint.read_metadata(file).config == CONFIG


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: b"x" * 30, lambda data: b""]
)
def test_damage_is_told_with_the_name_of_the_file(tmp_path, damage):
    data, file = damage(Checkpoint(TENSORS, {"config": CONFIG}).to_bytes()), tmp_path / "a"
    file.write_bytes(data)
    for name, read in ((FILE, lambda: Checkpoint.from_bytes(data, FILE)),
                       (file, lambda: Checkpoint.read(file)),
                       (file, lambda: Checkpoint.read_metadata(file))):  # fmt: skip
        with pytest.raises(CheckpointError, match=f"^{name}: "):
            read()


def test_numbers_of_an_unknown_type_are_told_with_the_name_of_the_file():
    data = Checkpoint(TENSORS, {"config": CONFIG}).to_bytes().replace(b'"F64"', b'"X99"')
    with pytest.raises(CheckpointError, match=f"^{FILE}: is damaged"):
        Checkpoint.from_bytes(data, FILE)


def test_metadata_that_are_damaged_or_not_there_are_told_with_the_name_of_the_file(tmp_path):
    file = tmp_path / "a.safetensors"
    with pytest.raises(CheckpointError, match=f"^{file}: does not exist"):
        Checkpoint.read_metadata(file)
    Checkpoint({}, {"config": 1}).write(file)
    with pytest.raises(CheckpointError, match=f"^{file}: its metadata is damaged: config"):
        Checkpoint.read_metadata(file)
    with pytest.raises(CheckpointError, match=f"^{FILE}: its metadata is damaged: config"):
        Checkpoint({}, {"config": 1}).metadata(FILE)
    for number, remedy in ((True, "train it again"), (0, "train it again"), (2, "update nettrain")):
        with pytest.raises(CheckpointError, match=rf"this version reads 1: {remedy}"):
            Checkpoint.from_bytes(Checkpoint({}, {"format": number}).to_bytes(), FILE)


def test_a_number_is_kept_in_a_file_and_taken_out_again(tmp_path):
    file = tmp_path / "a.safetensors"
    Checkpoint(TENSORS, {"config": CONFIG, "epoch": 3}).write(file)
    for value in (1.5, 2.0, None, None):
        keep_number(file, "temperature", value)
        found = Checkpoint.read(file)
        same(found.tensors, TENSORS)
        kept = {} if value is None else {"temperature": value}
        assert found.content == {"format": 1, "config": CONFIG, "epoch": 3} | kept


def checkpoint_of(**more):
    return Checkpoint({}, {"format": 1, "config": CONFIG | more})


def test_the_configuration_of_a_run_is_that_of_its_checkpoint():
    assert configuration(checkpoint_of(seed=7), FILE).seed == 7
    with pytest.raises(CheckpointError, match=f"^{FILE}: its metadata is damaged"):
        configuration(Checkpoint({}, {"format": 1}), FILE)
    with pytest.raises(
        CheckpointError, match=rf"^{FILE}: its configuration cannot be used: seed: "
    ):
        configuration(checkpoint_of(seed="x"), FILE)


@pytest.mark.parametrize(("length", "told"), [
    (398, f"{'x' * 600}; {'y' * 398}"), (399, f"{'x' * 600}; {'y' * 398} ..."),
])  # fmt: skip
def test_what_is_wrong_with_a_configuration_is_told_up_to_a_thousand_characters(
    monkeypatch, length, told
):
    def refuse(config, *, allow_plugins):
        raise ConfigError(["x" * 600, "y" * length])

    monkeypatch.setattr(module, "load_config", refuse)
    with pytest.raises(CheckpointError) as error:
        configuration(checkpoint_of(), FILE)
    assert str(error.value) == f"{FILE}: its configuration cannot be used: {told}"


def test_plugins_run_where_that_is_allowed_and_may_have_changed_where_that_is_said(tmp_path):
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "from dataclasses import dataclass\nfrom nettrain import Activation\n\n"
        "@dataclass(frozen=True, kw_only=True)\nclass Mine(Activation):\n"
        '    """Mine: y = x."""\n\n    def apply(self, x):\n        return x\n'
    )
    recorded = checkpoint_of(plugins=[{"path": str(plugin), "fingerprint": "of other content"}])
    with pytest.raises(CheckpointError, match="this is Python code"):
        configuration(recorded, FILE)
    with pytest.raises(CheckpointError, match="Python code"):
        configuration(recorded, FILE, same_plugins=False)
    with pytest.raises(CheckpointError, match=r"cannot be used: .*has changed"):
        configuration(recorded, FILE, allow_plugins=True)
    [found] = configuration(recorded, FILE, allow_plugins=True, same_plugins=False).plugins
    assert found.path == str(plugin) and found.fingerprint != "of other content"
    assert configuration(checkpoint_of(), FILE, same_plugins=False).plugins == ()


def test_plugins_are_listed_without_being_imported():
    assert list(recorded_plugins({}, FILE)) == []
    given = [{"path": "a.py"}, {"path": "b.py", "fingerprint": "x"}]
    found = recorded_plugins({"plugins": given}, FILE)
    assert [(one.path, one.fingerprint) for one in found] == [("a.py", None), ("b.py", "x")]
    for wrong, place in (("x", "plugins"), ([{"path": "a.py"}, {"path": 1}], "plugins.1.path"),
                         ([{"path": 1}, {"path": 2}], "plugins.0.path")):  # fmt: skip
        for check in (recorded_plugins, lambda config, file: configuration(
                Checkpoint({}, {"format": 1, "config": CONFIG | config}), file, same_plugins=False)):  # fmt: skip
            with pytest.raises(CheckpointError) as error:
                check({"plugins": wrong}, FILE)
            assert str(error.value).startswith(f"{FILE}: its metadata is damaged: config.{place}: ")
