"""A configuration that extends others: what is merged, what is replaced, where its paths and mistakes stand."""

from pathlib import Path

import pytest

from nettrain.component import to_mapping
from nettrain.config.dump import dump
from nettrain.config.load import load, located
from nettrain.errors import ConfigError, NettrainError

BASE = """\
dataset: {source: xor, split: {validation: 0.2}}
model: {type: mlp, hidden: [8, 8], activation: tanh}
optimizer: {type: momentum, lr: 0.5, beta: 0.8}
training: {epochs: 7}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE)
    return tmp_path


def loaded(text, *sets):
    Path("a.yaml").write_text(text)
    return load("a.yaml", sets)


def refused(text, *sets):
    with pytest.raises(ConfigError) as error:
        loaded(text, *sets)
    return error.value.problems


def section(config, name):
    return to_mapping(getattr(config, name))


def test_what_is_not_said_comes_from_the_base(folder):
    config = loaded("extends: base.yaml\nseed: 3\ntraining: {batch_size: 5}\n")
    assert (config.name, config.seed, config.training.epochs, config.training.batch_size) == (
        "a",
        3,
        7,
        5,
    )
    assert config.dataset.split.validation == 0.2


# What the file says of one section, and what comes of the base's.
MERGED = [
    ("optimizer: {lr: 0.1}", "optimizer", {"type": "momentum", "lr": 0.1, "beta": 0.8}),
    (
        "optimizer: {type: momentum, lr: 0.1}",
        "optimizer",
        {"type": "momentum", "lr": 0.1, "beta": 0.8},
    ),
    ("optimizer: {type: sgd}", "optimizer", {"type": "sgd"}),
    ("optimizer: momentum", "optimizer", {"type": "momentum", "beta": 0.9}),
    (
        "model: {hidden: [3]}",
        "model",
        {"type": "mlp", "hidden": [3], "activation": {"type": "tanh"}},
    ),
    (
        "model: {activation: {type: leaky_relu}}",
        "model",
        {"hidden": [8, 8], "activation": {"type": "leaky_relu", "slope": 0.01}},
    ),
    ("dataset: {source: {rows: 40}}", "dataset", {"source": {"type": "xor", "rows": 40}}),
    ("dataset: {split: null}", "dataset", None),
]


@pytest.mark.parametrize(("said", "key", "expected"), MERGED, ids=[said for said, _, _ in MERGED])
def test_mappings_are_merged_and_the_rest_is_replaced(folder, said, key, expected):
    if expected is None:
        assert "dataset.split" in refused(f"extends: base.yaml\n{said}\n")[0]
        return
    found = section(loaded(f"extends: base.yaml\n{said}\n"), key)
    assert within(expected, found)


def within(part, whole):
    if isinstance(part, dict):
        return all(key in whole and within(value, whole[key]) for key, value in part.items())
    return part == whole


def test_of_several_files_the_later_wins_and_bases_have_bases(folder):
    Path("fast.yaml").write_text("extends: base.yaml\ntraining: {epochs: 2}\nseed: 1\n")
    Path("seed.yaml").write_text("seed: 9\n")
    config = loaded("extends: [fast.yaml, seed.yaml]\n")
    assert (config.seed, config.training.epochs, config.optimizer.name()) == (9, 2, "momentum")


def test_the_resolved_configuration_extends_nothing(folder):
    config = loaded("extends: base.yaml\nseed: 3\n")
    assert "extends" not in dump(config)
    Path("resolved.yaml").write_text(dump(config))
    assert load("resolved.yaml") == config


def test_overrides_come_last(folder):
    assert (
        loaded("extends: base.yaml\n", "optimizer.type=sgd", "training.epochs=1").training.epochs
        == 1
    )
    assert loaded("extends: base.yaml\n", "model.hidden[1]=3").model.hidden == (8, 3)


def test_a_mapping_from_python_extends_files_of_the_current_folder(folder):
    assert load({"extends": "base.yaml", "seed": 4}).training.epochs == 7


def test_paths_count_from_the_file_they_stand_in(folder):
    Path("sub").mkdir()
    Path("sub/base.yaml").write_text(
        "dataset: {source: {type: csv, path: wine.csv, target: q}}\nmodel: {type: mlp, hidden: []}\n"
    )
    here = "extends: sub/base.yaml\ndataset: {source: "
    assert loaded("extends: sub/base.yaml\n").dataset.source.path == str(folder / "sub/wine.csv")
    assert loaded(here + "{ignore: x}}\n").dataset.source.path == str(folder / "sub/wine.csv")
    assert loaded(here + "{path: wine.csv}}\n").dataset.source.path == str(folder / "wine.csv")
    assert loaded(
        "extends: sub/base.yaml\n", "dataset.source.path=b.csv"
    ).dataset.source.path == str(folder / "b.csv")


# A file that extends base.yaml -> its first problem.
MISTAKES = [
    ("extends: bse.yaml", "a.yaml:1: extends: bse.yaml: does not exist; did you mean 'base.yaml'?"),
    (
        "extends: a.yaml",
        "a.yaml:1: extends: circular `extends` (a.yaml -> a.yaml); a configuration cannot extend itself",
    ),
    (
        "extends: back.yaml",
        "back.yaml:1: extends: circular `extends` (a.yaml -> back.yaml -> a.yaml); a configuration cannot extend itself",
    ),
    (
        "extends: [base.yaml,\n  3]",
        "a.yaml:2: extends: expected a YAML file or a list of them, got 3",
    ),
    ("extends: null", "a.yaml:1: extends: expected a YAML file or a list of them, got null"),
    ("extends: sub", "a.yaml:1: extends: sub: is a folder, not a YAML file"),
    (
        "extends: torn.yaml",
        "torn.yaml:2: not valid YAML: the quotation mark that opens here is never closed",
    ),
    ("extends: wrong.yaml", "wrong.yaml:2: training.epochs: expected a positive integer, got 0"),
    (
        "extends: base.yaml\ntraining: {epochs: -1}",
        "a.yaml:2: training.epochs: expected a positive integer, got -1",
    ),
    (
        "extends: base.yaml\noptimizer: {type: sgd}\nmodel: {hidden: [0]}",
        "a.yaml:3: model.hidden[0]: expected a positive integer, got 0",
    ),
]


@pytest.mark.parametrize(("text", "problem"), MISTAKES, ids=[text for text, _ in MISTAKES])
def test_a_mistake_is_told_where_it_stands(folder, text, problem):
    Path("sub").mkdir()
    Path("back.yaml").write_text("extends: a.yaml\n")
    Path("torn.yaml").write_text("seed: 1\nname: 'x\n")
    Path("wrong.yaml").write_text("extends: base.yaml\ntraining: {epochs: 0}\n")
    assert refused(text + "\n") == [problem]


def test_what_is_found_later_is_told_with_the_line_of_the_base(folder):
    Path("a.yaml").write_text("extends: base.yaml\n")
    with (
        pytest.raises(ConfigError, match=r"^base.yaml:2: model: does not fit$"),
        located(Path("a.yaml"), []),
    ):
        raise ConfigError("model: does not fit")


def test_files_that_extend_two_others_each_end_soon(folder):
    for i in range(30):
        Path(f"{i}.yaml").write_text(f"extends: [{i + 1}.yaml, {i + 1}.yaml]\n")
    Path("30.yaml").write_text("dataset: {source: xor}\nmodel: mlp\n")
    with pytest.raises(ConfigError, match="`extends` leads to more than 100 files"):
        load("0.yaml")


@pytest.mark.parametrize("name", ["\0", "a\0.yaml", "\ud800"])
def test_a_name_that_no_file_can_have_is_refused(folder, name):
    with pytest.raises(ConfigError, match="extends: expected a YAML file or a list of them"):
        load({"extends": name})
    config = {"dataset": {"source": {"type": "csv", "path": name, "target": "y"}}, "model": "mlp"}
    with pytest.raises(NettrainError, match=r"holds characters that no path does|is not UTF-8"):
        load(config)


def test_the_home_of_nobody_and_links_in_a_circle_are_files_that_are_not_there(folder):
    Path("circle.yaml").symlink_to("circle.yaml")
    for name in ("~no-such-user/a.yaml", "circle.yaml", "x" * 300):
        with pytest.raises(ConfigError):
            load({"extends": name})
