import dataclasses
from pathlib import Path

import numpy as np
import pytest

from nettrain.component import to_mapping
from nettrain.config.load import load, located
from nettrain.config.run_config import RunConfig
from nettrain.errors import ConfigError
from nettrain.optim import Optimizer

MINIMAL = "dataset: {source: digits}\nmodel: {type: mlp, hidden: [8]}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(text, *sets):
    Path("a.yaml").write_text(text)
    return load("a.yaml", sets)


def refused(text, *sets):
    with pytest.raises(ConfigError) as error:
        loaded(text, *sets)
    return error.value.problems


def test_absent_sections_take_their_defaults(folder):
    config = loaded(MINIMAL)
    assert isinstance(config, RunConfig)
    assert (
        config.name,
        config.seed,
        config.dtype,
        config.optimizer.name(),
        config.training.epochs,
    ) == ("a", 0, "float32", "adam", 30)


# One mistake in a configuration that is good otherwise -> its line.
MISTAKES = [
    (
        "model: {type: mlp, hidden: [8, 0]}",
        "a.yaml:2: model.hidden[1]: expected a positive integer, got 0",
    ),
    (
        "model: {type: mlp, hidden: 8}",
        "a.yaml:2: model.hidden: expected a list, each item a positive integer, got 8",
    ),
    ("model: {type: mpl}", "a.yaml:2: model.type: model 'mpl' does not exist; did you mean 'mlp'?"),
    ("model: mpl", "a.yaml:2: model: model 'mpl' does not exist; did you mean 'mlp'?"),
    (
        "model: {type: mlp, hidden: [8], hiden: 3}",
        "a.yaml:2: model.hiden: unknown key 'hiden'; did you mean 'hidden'?",
    ),
    (
        "optimizer:\n  type: adam\n  lr: 1e-3x",
        "a.yaml:4: optimizer.lr: expected a number above 0, got '1e-3x'",
    ),
    (
        "optimizer:\n  type: adam\n  lr: '1e-3'",
        "a.yaml:4: optimizer.lr: expected a number above 0, got '1e-3'; write it without quotes",
    ),
    ("optimizer: {type: adam, lr: 0}", "a.yaml:2: optimizer.lr: expected a number above 0, got 0"),
    (
        "optimizer: {type: adam, lr: -1e-3}",
        "a.yaml:2: optimizer.lr: expected a number above 0, got -0.001",
    ),
    (
        "optimizer: {type: adam, lr: .nan}",
        "a.yaml:2: optimizer.lr: expected a number above 0, got .nan",
    ),
    (
        "optimizer: {type: adam, beta1: 1}",
        "a.yaml:2: optimizer.beta1: expected a number in [0, 1), got 1",
    ),
    (
        "optimizer: {type: adam, bta1: 1}",
        "a.yaml:2: optimizer.bta1: unknown key 'bta1'; did you mean 'beta1'?",
    ),
    ("optimizer: adm", "a.yaml:2: optimizer: optimizer 'adm' does not exist; did you mean 'adam'?"),
    ("optimizer: {lr: 1}", "a.yaml:2: optimizer: expected the name of an optimizer (adadelta, "),
    (
        "model: {type: sequential, layers: [rel]}",
        "a.yaml:2: model.layers[0]: layer 'rel' does not exist; did you mean 'relu'?",
    ),
    (
        "dataset: {source: wine.csv}",
        "a.yaml:2: dataset.source: source 'wine.csv' does not exist; a file is written "
        "{type: csv, path: wine.csv} ",
    ),
    (
        "dataset: {source: d/t10k-images-idx3-ubyte.gz}",
        "a.yaml:2: dataset.source: source 'd/t10k-images-idx3-ubyte.gz' does not exist; a "
        "file is written {type: idx, images: d/t10k-images-idx3-ubyte.gz} ",
    ),
    ("optimizer: [adam]", "a.yaml:2: optimizer: expected the name of an optimizer (adadelta, "),
    ("dtype: float16", "a.yaml:2: dtype: expected one of 'float32', 'float64'; got 'float16'"),
    ("seed: -1", "a.yaml:2: seed: expected an integer of 0 or more, got -1"),
    ("seed: 1.0", "a.yaml:2: seed: expected an integer of 0 or more, got 1.0"),
    ("seed: true", "a.yaml:2: seed: expected an integer of 0 or more, got true"),
    ("name: ''", "a.yaml:2: name: expected a non-empty string or null, got ''"),
    ("name: 3", "a.yaml:2: name: expected a non-empty string or null, got 3; put it in quotes"),
    ("name: a/b", "a.yaml:2: name: expected a name for a folder: no '/'"),
    ("training:\n  epochs: 0", "a.yaml:3: training.epochs: expected a positive integer, got 0"),
    (
        "training: {batch_size: 0}",
        "a.yaml:2: training.batch_size: expected a positive integer or null, got 0",
    ),
    (
        "training: {accumulate: 0}",
        "a.yaml:2: training.accumulate: expected a positive integer, got 0",
    ),
    (
        "training: {clip_value: 0}",
        "a.yaml:2: training.clip_value: expected a number above 0 or null, got 0",
    ),
    (
        "training: {ema: 1}",
        "a.yaml:2: training.ema: expected a number in [0, 1) or null, got 1",
    ),
    (
        "initialize_from: {runn: a, run: b}",
        "a.yaml:2: initialize_from.runn: unknown key 'runn'; did you mean 'run'?",
    ),
    (
        "initialize_from: {run: a, leave_out: dense_1}",
        "a.yaml:2: initialize_from.leave_out: expected a list, each item a non-empty string",
    ),
    (
        "optimizer: lbfgs",
        "a.yaml:2: training.batch_size: the optimizer lbfgs takes all rows in each step: set training.batch_size: null",
    ),
    (
        "schedule: {type: plateau, monitor: loss}",
        "a.yaml:2: schedule.monitor: metric 'loss' does not exist; did you mean ",
    ),
    (
        "schedule: {type: piecewise, boundaries: [2, 1], factors: [1, 1, 1]}",
        "a.yaml:2: schedule: boundaries must rise, got [2.0, 1.0]",
    ),
    (
        "training: {shuffle: yes}",
        "a.yaml:2: training.shuffle: expected true or false, got 'yes'; write true",
    ),
    ("training: 30", "a.yaml:2: training: expected a mapping (keys: epochs, batch_size, "),
    ("training:", "a.yaml:2: training: expected a mapping (keys: epochs, batch_size, "),
    ("trainng: {}", "a.yaml:2: trainng: unknown key 'trainng'; did you mean 'training'?"),
    (
        "early_stopping: {patience: 0}",
        "a.yaml:2: early_stopping.patience: expected a positive integer, got 0",
    ),
    (
        "early_stopping: {monitor: val_loss}",
        "a.yaml:2: early_stopping.monitor: metric 'val_loss' does not exist; did you mean 'validation_loss'?",
    ),
    (
        "training: {monitor: accuracy}",
        "a.yaml:2: training.monitor: metric 'accuracy' does not exist; did you mean 'validation_accuracy'?",
    ),
    (
        "training: {monitor: speed}",
        "a.yaml:2: training.monitor: metric 'speed' does not exist; there are train_ and validation_ with loss, ",
    ),
    (
        "training: {monitor: test_loss}",
        "a.yaml:2: training.monitor: expected a metric of the training or validation part, got 'test_loss'",
    ),
    (
        "regularization: {dropout: 1}",
        "a.yaml:2: regularization.dropout: expected a number in [0, 1) or a mapping (keys: value, schedule), got 1",
    ),
    (
        "schedule: {type: cosine, floor: 2}",
        "a.yaml:2: schedule.floor: expected a number in [0, 1], got 2",
    ),
    (
        "dataset: {source: digits, split: {validation: 0.5, test: 0.5}}",
        "a.yaml:2: dataset.split: validation 0.5 + test 0.5 leave none",
    ),
    (
        "dataset: {source: digits, split: {test: 0.5, column: part}}",
        "a.yaml:2: dataset.split.column: a split column, and fractions or row ranges cannot be used",
    ),
    (
        "dataset: {source: digits, split: {rows: {train: [0]}}}",
        "a.yaml:2: dataset.split.rows.train: expected a list of 2: an integer of 0 or more, ",
    ),
    (
        "dataset: {source: digits, split: {rows: {train: [0, 1, 2]}}}",
        "a.yaml:2: dataset.split.rows.train: expected a list of 2",
    ),
    (
        "dataset: {source: digits, transforms: standardize}",
        "a.yaml:2: dataset.transforms: expected a list, each item the name of a transform (",
    ),
    (
        "dataset: {}",
        "a.yaml:2: dataset.source: this key is missing; expected the name of a source (",
    ),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_is_told_with_line_path_and_value(folder, line, message):
    good = {"dataset": "dataset: {source: digits}", "model": "model: {type: mlp, hidden: [8]}"}
    good.pop(line.split(":")[0], None)
    (problem,) = refused("\n".join(["# a comment", line, *good.values()]))
    assert problem.startswith(message)


def test_all_mistakes_are_told_at_once(folder):
    text = "dataset:\n  sorce: digits\nmodel: {type: mlp, hidden: [0, -1]}\nseed: x\nseed: 1\ntraining: {epochs: 0}\nlos: mse\n1: 2\n"
    problems = refused(text, "optimizer.lr=0", "nonsense")
    duplicate_and_form = ["a.yaml:5", "a.yaml:8", "--set nonsense"]
    values = [
        "a.yaml:4",
        "a.yaml:1",
        "a.yaml:2",
        "a.yaml:3",
        "a.yaml:3",
        "--set optimizer.lr=0",
        "a.yaml:6",
        "a.yaml:7",
    ]
    assert [problem.partition(": ")[0] for problem in problems] == duplicate_and_form + values


def test_a_list_of_mistakes_is_one_error_a_line_each(folder):
    with pytest.raises(ConfigError) as error:
        loaded(MINIMAL + "seed: x\nname: 3\n")
    assert str(error.value).count("\n") == 1


FILES = [
    (b"", "a.yaml: is empty; a configuration has at least the keys dataset and model"),
    (b"# nothing\n", "a.yaml: is empty"),
    (b"- a\n", "a.yaml: expected a mapping with keys such as dataset and model, got ['a']"),
    (b"word\n", "a.yaml: expected a mapping with keys such as dataset and model, got 'word'"),
    (b"a: 1\nb: \xff\n", "a.yaml:2: byte 0xff is not UTF-8; save the file as UTF-8"),
    (b"\x89PNG\r\n", "a.yaml:1: byte 0x89 is not UTF-8"),
    ("dataset: é".encode("utf-16"), "a.yaml:1: byte 0xff is not UTF-8"),
    (b"a: \x00", "a.yaml:1: the character '\\x00' is not allowed in YAML; is this a text file?"),
]


@pytest.mark.parametrize(
    ("content", "message"), FILES, ids=[repr(content[:12]) for content, _ in FILES]
)
def test_a_file_that_is_no_configuration_is_refused(folder, content, message):
    Path("a.yaml").write_bytes(content)
    with pytest.raises(ConfigError) as error:
        load("a.yaml")
    assert str(error.value).startswith(message)


def test_a_byte_order_mark_and_windows_line_ends_are_read(folder):
    Path("a.yaml").write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load("a.yaml").model.hidden == (8,)


PATHS = [
    ("digts.yaml", "digts.yaml: does not exist; did you mean 'digits.yaml'?"),
    ("digits", "digits: does not exist; did you mean 'digits.yaml'?"),
    ("zzz.yaml", "zzz.yaml: does not exist"),
    ("configs/a.yaml", "configs/a.yaml: does not exist; nor does the folder 'configs'"),
    ("runs/r", "runs/r: is a folder, not a YAML file; did you mean 'runs/r/config.yaml'?"),
    ("runs", "runs: is a folder, not a YAML file"),
    ("a\0b", "'a\\x00b': embedded null byte"),
]


@pytest.mark.parametrize(("path", "message"), PATHS)
def test_a_path_that_cannot_be_read_suggests_what_can(folder, path, message):
    Path("digits.yaml").write_text(MINIMAL)
    Path("runs/r").mkdir(parents=True)
    Path("runs/r/config.yaml").write_text(MINIMAL)
    with pytest.raises(ConfigError) as error:
        load(path)
    assert str(error.value) == message


# Overrides in any order -> what the keys become.
OVERRIDES = [
    (["optimizer.lr=0.5"], "optimizer", {"type": "adam", "lr": 0.5, "beta1": 0.5}),
    (["optimizer.type=sgd"], "optimizer", {"type": "sgd", "lr": 0.1}),
    (["optimizer.type=adam"], "optimizer", {"type": "adam", "lr": 0.001, "beta1": 0.5}),
    (["optimizer=sgd"], "optimizer", {"type": "sgd", "lr": 0.1}),
    (["optimizer={type: sgd, lr: 2}"], "optimizer", {"type": "sgd", "lr": 2.0}),
    (["optimizer.lr=0.5", "optimizer.type=sgd"], "optimizer", {"type": "sgd", "lr": 0.5}),
    (["optimizer.type=sgd", "optimizer.lr=0.5"], "optimizer", {"type": "sgd", "lr": 0.5}),
    (["optimizer.lr=1", "optimizer=sgd"], "optimizer", {"type": "sgd", "lr": 1.0}),
    (["optimizer.lr=1", "optimizer.lr=2"], "optimizer", {"lr": 2.0}),
    (["schedule.warmup=2"], "schedule", {"type": "cosine", "warmup": 2}),
    (["model.hidden=[32]"], "model", {"hidden": [32]}),
    (["model.hidden[1]=5"], "model", {"hidden": [8, 5]}),
    (["training.epochs=3"], "training", {"epochs": 3}),
    (["training.batch_size=null"], "training", {"batch_size": None}),
    (["training.batch_size="], "training", {"batch_size": None}),
    (["early_stopping.patience=3"], "early_stopping", {"patience": 3}),
    (["regularization.l2=1e-4"], "regularization", {"l2": 1e-4}),
    ([" seed = 7 "], "seed", 7),
    (["name=no"], "name", "no"),
]


@pytest.mark.parametrize(
    ("sets", "section", "expected"), OVERRIDES, ids=[" ".join(sets) for sets, _, _ in OVERRIDES]
)
def test_an_override_changes_one_value(folder, sets, section, expected):
    text = (
        MINIMAL.replace("[8]", "[8, 8]")
        + "optimizer: {type: adam, beta1: 0.5}\nschedule: cosine\ntraining: {epochs: 9}\n"
    )
    found = to_mapping(getattr(loaded(text, *sets), section))
    assert (
        found == expected
        if not isinstance(expected, dict)
        else {key: found[key] for key in expected} == expected
    )


def test_an_override_below_an_absent_component_keeps_the_default_one(folder):
    assert loaded(MINIMAL, "optimizer.lr=0.25").optimizer == Optimizer.parse(
        {"type": "adam", "lr": 0.25}
    )


BAD_OVERRIDES = [
    (
        "optimizer.lr=abc",
        "--set optimizer.lr=abc: optimizer.lr: expected a number above 0, got 'abc'",
    ),
    (
        "optimizer.type=adm",
        "--set optimizer.type=adm: optimizer.type: optimizer 'adm' does not exist; did you mean 'adam'?",
    ),
    (
        "trainng.epochs=3",
        "--set trainng.epochs=3: trainng: unknown key 'trainng'; did you mean 'training'?",
    ),
    (
        "training.epoch=3",
        "--set training.epoch=3: training.epoch: unknown key 'epoch'; did you mean 'epochs'?",
    ),
    (
        "model.hidden[3]=1",
        "--set model.hidden[3]=1: model.hidden has 1 items, counted from 0: there is no [3]",
    ),
    (
        "model.hidden.x=1",
        "--set model.hidden.x=1: model.hidden is a list: name an item, such as model.hidden[0], not 'x'",
    ),
    ("model[0]=1", "--set model[0]=1: model is no list: [0] does not exist"),
    ("model.hidden[0].x=1", "--set model.hidden[0].x=1: model.hidden[0] is 8, which has no keys"),
    (
        "seed",
        "--set seed: expected KEY.PATH=VALUE, such as optimizer.lr=0.01 or model.hidden[0]=64",
    ),
    ("=3", "--set =3: expected KEY.PATH=VALUE"),
    ("a..b=3", "--set a..b=3: expected KEY.PATH=VALUE"),
    ("[0]=3", "--set [0]=3: expected KEY.PATH=VALUE"),
    (
        "seed=[1",
        "--set seed=[1: not valid YAML: the list that opens here with '[' is never closed with ']'",
    ),
    (
        "training={epochs: 1, epochs: 2}",
        "--set training={epochs: 1, epochs: 2}: training.epochs: duplicate key",
    ),
]


@pytest.mark.parametrize(("text", "message"), BAD_OVERRIDES)
def test_a_bad_override_is_told_as_the_user_wrote_it(folder, text, message):
    (problem,) = refused(MINIMAL, text)
    assert problem.startswith(message)


def test_relative_paths_count_from_the_folder_of_the_file(folder):
    Path("sub").mkdir()
    Path("sub/a.yaml").write_text(
        MINIMAL.replace("source: digits", "source: {type: csv, path: x.csv, target: y}")
    )
    assert Path(load("sub/a.yaml").dataset.source.path) == folder / "sub" / "x.csv"


def test_relative_paths_of_a_mapping_count_from_the_current_folder(folder):
    csv = {"type": "csv", "path": Path("x.csv"), "target": "y"}
    config = load(
        {"dataset": {"source": csv, "test_source": csv}, "model": {"type": "mlp", "hidden": [8]}}
    )
    assert (
        Path(config.dataset.source.path)
        == Path(config.dataset.test_source.path)
        == folder / "x.csv"
    )


def test_relative_paths_of_sets_count_from_the_current_folder(folder):
    Path("sub").mkdir()
    Path("sub/a.yaml").write_text(MINIMAL)
    sets = [
        "dataset.source={type: csv, path: x.csv, target: 'y: z'}",
        "dataset.test_source={type: npz, path: sub/y.npz}",
    ]
    config = load("sub/a.yaml", sets)
    assert Path(config.dataset.source.path) == folder / "x.csv"
    assert Path(config.dataset.test_source.path) == folder / "sub" / "y.npz"
    assert (
        Path(load("sub/a.yaml", ["initialize_from=runs/b"]).initialize_from.run)
        == folder / "runs" / "b"
    )


def test_a_mapping_takes_components_numpy_numbers_and_tuples():
    model = {"type": "mlp", "hidden": (np.int64(3), 4)}
    config = load(
        {
            "dataset": {"source": "digits"},
            "model": model,
            "optimizer": Optimizer.parse("sgd"),
            "seed": np.uint8(3),
        }
    )
    assert (config.name, config.model.hidden, config.seed, config.optimizer.name()) == (
        "run",
        (3, 4),
        3,
        "sgd",
    )


def test_a_mapping_is_left_as_it_was():
    mapping = {"dataset": {"source": "digits"}, "model": {"type": "mlp", "hidden": [8]}}
    load(mapping, ["model.hidden[0]=3", "optimizer.lr=1"])
    assert mapping == {"dataset": {"source": "digits"}, "model": {"type": "mlp", "hidden": [8]}}


def test_mistakes_in_a_mapping_have_a_path_and_no_line():
    with pytest.raises(ConfigError) as error:
        load({"dataset": {"source": "digits"}, "model": {"type": "mlp", "hidden": [0]}, 3: 4})
    assert error.value.problems == [
        "model.hidden[0]: expected a positive integer, got 0",
        "expected a name as key, got 3",
    ]


def test_a_config_built_in_python_is_validated_too():
    config = load({"dataset": {"source": "digits"}, "model": {"type": "mlp", "hidden": [8]}})
    assert load(config) == config
    with pytest.raises(ConfigError, match="seed: expected an integer of 0 or more, got 'x'"):
        load(dataclasses.replace(config, seed="x"))
    with pytest.raises(ConfigError, match=r"optimizer\.lr: expected a number above 0, got -1"):
        load(dataclasses.replace(config, optimizer=config.optimizer.replace(lr=-1)))


def test_a_mistake_found_after_loading_gets_its_line_too(folder):
    Path("a.yaml").write_text(MINIMAL)
    with pytest.raises(ConfigError) as error, located(Path("a.yaml"), ["training.epochs=1"]):
        raise ConfigError(
            [
                "model: layer 2 does not fit",
                "training.monitor: absent",
                "flowers.csv:3: model: not a key of ours",
            ]
        )
    assert error.value.problems == [
        "a.yaml:2: model: layer 2 does not fit",
        "--set training.epochs=1: training.monitor: absent",
        "flowers.csv:3: model: not a key of ours",
    ]
