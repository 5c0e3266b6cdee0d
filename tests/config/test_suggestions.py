"""One line for one fault, and the remedy in it: decimal commas, names from other libraries, the wrong command's file."""

from pathlib import Path

import pytest

from nettrain.config.load import load, load_ensemble
from nettrain.errors import ConfigError, elsewhere, nearest
from nettrain.search.sweep.config import load_sweep

BEGIN = "dataset: {source: xor}\nmodel: {type: mlp, hidden: [4]}\n"
CNN = "dataset: {source: xor}\nmodel: {type: cnn, blocks: [{filters: 1}]}\n"
NO_MODEL = "model: {type: mlp, hidden: [4]}\n"


def problems(tmp_path, text, read=load):
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        read(file)
    return [problem.removeprefix(f"{tmp_path}/") for problem in error.value.problems]


@pytest.mark.parametrize(("text", "lines"), [
    (BEGIN + "training: {class_weights: {1: 5}}",
     ["a.yaml:3: training.class_weights: expected a name as key, got '1'; a number or Boolean that is meant as a name needs quotes"]),
    (BEGIN + "optimizer: {type: adam, lr: 0,01}",
     ["a.yaml:3: optimizer.lr: expected a value, got 0,01; write 0.01, with a decimal point"]),
    (NO_MODEL + "dataset: {source: xor, split: {validation: 0,2, test: 0,25}}",
     ["a.yaml:2: dataset.split.validation: expected a value, got 0,2; write 0.2, with a decimal point",
      "a.yaml:2: dataset.split.test: expected a value, got 0,25; write 0.25, with a decimal point"]),
    (NO_MODEL + "dataset:\n  source: xor\n  split:\n    validation: 0,2",
     ["a.yaml:5: dataset.split.validation: expected a number in [0, 1) or null, got '0,2'; write 0.2, with a decimal point"]),
    (BEGIN + "training: {epochs: !!int x}", ["a.yaml:3: training.epochs: 'x' is no int, as its tag says"]),
    (BEGIN + "training: {epochs: 1, epochs: 2}", ["a.yaml:3: training.epochs: duplicate key; the first is at a.yaml:3"]),
    (BEGIN + "training: {shards: 1000000000}",
     ["a.yaml:3: training.shards: expected an integer from 1 to 1024 or null, got 1000000000"]),
    (CNN + "training: {epochs: 9223372036854775808}",
     ["a.yaml:3: training.epochs: expected a positive integer up to 2,147,483,647, got 9223372036854775808"]),
    (CNN.replace("filters: 1", "filters: 1, repeat: 1000000000"),
     ["a.yaml:2: model.blocks[0].repeat: expected an integer from 1 to 1024, got 1000000000"]),
    (BEGIN + "ensemble: {members: 1000000000}", ["a.yaml:3: ensemble.members: expected an integer from 2 to 1000, got 1000000000"]),
])  # fmt: skip
def test_one_fault_is_one_line_with_its_remedy(tmp_path, text, lines):
    read = load_ensemble if "ensemble" in text else load
    found = [line.replace(f"{tmp_path}/", "") for line in problems(tmp_path, text, read)]
    assert found == lines


# A key from another library -> what the message suggests.
KEYS = [
    ("optimizer: {type: adam, learning_rate: 0.1}", "'lr'"),
    ("optimizer: {type: adam, eps: 0.1}", "'epsilon'"),
    ("optimizer: {type: adam, weight_decay: 0.1}", "'regularization.l2'"),
    ("optimizer: {type: momentum, momentum: 0.9}", "'beta'"),
    ("training: {batchsize: 1}", "'batch_size'"),
    ("training: {n_epochs: 1}", "'epochs'"),
    ("training: {max_iter: 1}", "'epochs'"),
    ("training: {lr: 1}", "'optimizer.lr'"),
    ("epochs: 3", "'training.epochs'"),
    ("batch_size: 3", "'training.batch_size'"),
    ("dropout: 0.5", "'regularization.dropout'"),
    ("random_state: 0", "'seed'"),
    ("criterion: mse", "'loss'"),
    ("loss: bce", "'binary_cross_entropy'"),
    ("loss: mean_squared_error", "'mse'"),
    ("early_stopping: {monitor: val_loss}", "'validation_loss'"),
    ("early_stopping: {monitor: val_acc}", "'validation_accuracy'"),
    ("early_stopping: {monitor: accuracy}", "'validation_accuracy'"),
]


@pytest.mark.parametrize(("text", "suggestion"), KEYS, ids=str)
def test_a_name_from_another_library_is_understood(tmp_path, text, suggestion):
    (line,) = problems(tmp_path, BEGIN + text)
    assert f"; did you mean {suggestion}?" in line


def test_a_split_is_understood_too(tmp_path):
    (line,) = problems(tmp_path, NO_MODEL + "dataset: {source: xor, split: {val: 0.2}}")
    assert "; did you mean 'validation'?" in line


def test_what_is_not_known_is_not_guessed():
    assert nearest("learning_rate", ["seed", "loss"]) == elsewhere("qqq") == ""
    assert nearest("val", ["train", "test"]) == ""


SWEEP = "base: b.yaml\nparameters: {optimizer.lr: {values: [0.1]}}\nmethod: grid\n"


@pytest.mark.parametrize("read", [load, load_ensemble])
def test_a_sweep_is_named_where_a_run_is_expected(tmp_path, read):
    file = tmp_path / "a.yaml"
    assert problems(tmp_path, SWEEP, read) == [
        f"a.yaml: this is a sweep: run it with `nettrain sweep {file}`"
    ]
    with pytest.raises(ConfigError, match=r"^this is a sweep: run it with `nettrain.sweep`$"):
        read({"base": "b.yaml", "parameters": {}})


@pytest.mark.parametrize("text", [BEGIN, BEGIN + "ensemble: {members: 3}", "extends: b.yaml\n", "extends: b.yaml\nensemble: {}\n"])  # fmt: skip
def test_a_run_or_an_ensemble_is_named_where_a_sweep_is_expected(tmp_path, text):
    (line,) = problems(tmp_path, text, load_sweep)
    assert line.startswith("a.yaml: is the configuration of one run; a sweep varies it: ")


def test_a_directory_that_was_removed_stops_no_absolute_path(tmp_path, monkeypatch):
    gone, file = tmp_path / "gone", tmp_path / "a.yaml"
    gone.mkdir()
    file.write_text(BEGIN)
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert load(file, ["training.epochs=3"]).training.epochs == 3
    assert load({"dataset": {"source": "xor"}, "model": {"type": "mlp", "hidden": [4]}}).name


def test_a_file_name_that_is_not_utf8_is_read_and_a_path_that_is_not_is_explained(tmp_path):
    file = Path(str(tmp_path / "a")) / "\udcff.yaml"
    file.parent.mkdir()
    file.write_text(BEGIN)
    assert load(file).name == "\ufffd"
    source = {"type": "csv", "path": "\udcff.csv", "target": "y"}
    with pytest.raises(ConfigError) as error:
        load({"dataset": {"source": source}, "model": {"type": "mlp", "hidden": [4]}})
    assert "this name is not UTF-8: rename the file or folder" in str(error.value)


@pytest.mark.parametrize("kind", ["fifo", "device", "large"])
def test_only_a_regular_file_of_a_sensible_size_is_a_configuration(tmp_path, kind):
    import os

    file = Path("/dev/zero") if kind == "device" else tmp_path / "a.yaml"
    if kind == "fifo":
        os.mkfifo(file)
    if kind == "large":
        file.write_bytes(b"a" * (2**20 + 1))
    said = "is too large for a configuration" if kind == "large" else "only regular files are read"
    with pytest.raises(ConfigError, match=said):
        load(file)
