"""Everything that a configuration can hold is explained, with an example that loads."""

from pathlib import Path

import pytest

from nettrain.component import to_mapping
from nettrain.config.explanation import catalogue, matching
from nettrain.config.kinds import IN_YAML
from nettrain.config.load import load_ensemble
from nettrain.config.yaml_text import read

KNOWN = catalogue()
MINIMAL = {"dataset": {"source": "xor"}, "model": {"type": "mlp", "hidden": [8]}}
WITH_EXAMPLE = [
    name for name in KNOWN if name != "plugins" and KNOWN[name]().example
]  # a plugin's file must be there


@pytest.mark.parametrize("name", KNOWN)
def test_everything_says_what_it_is(name):
    found = KNOWN[name]()
    assert found.name == name and found.summary and found.summary == found.summary.strip()
    assert [key.name for key in found.keys if not key.description or not key.expects] == []
    assert found.example and bool(found.members) is (found.what == "kind")


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_every_example_loads_and_shows_what_is_explained(name):
    example = read(KNOWN[name]().example, str).value
    config = load_ensemble(merged(MINIMAL, example))
    resolved = to_mapping(config)
    kind, _, member = name.partition(".")
    shown = {entry.kind.kind: entry.shown for entry in IN_YAML}
    assert contains(resolved, name.split(".")) or kind_in(resolved, kind, member or shown.get(kind))


def merged(under, over):
    if isinstance(under, dict) and isinstance(over, dict) and "type" not in over:
        return under | {key: merged(under.get(key), value) for key, value in over.items()}
    return over


def contains(value, path):
    return not path or (
        isinstance(value, dict) and path[0] in value and contains(value[path[0]], path[1:])
    )


def kind_in(value, kind, name=None):
    """Whether a component of that name stands somewhere in it; a metric stands in the name of what is monitored."""
    if isinstance(value, dict):
        return value.get("type") == name or any(
            kind_in(item, kind, name) for item in value.values()
        )
    if isinstance(value, list):
        return any(kind_in(item, kind, name) for item in value)
    return kind == "metric" and value == f"validation_{name}"


def test_a_component_is_told_by_its_class_alone():
    adam = KNOWN["optimizer.adam"]()
    assert adam.summary.startswith(
        "Adam. m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2;"
    ) and adam.details.endswith("Kingma & Ba 2015, Algorithm 1.")
    lr, beta1, *_ = adam.keys
    assert (lr.name, lr.expects, lr.required, lr.default, lr.description) == (
        "lr", "a number above 0", False, 1e-3, "learning rate, before the schedule",
    )  # fmt: skip
    assert beta1.expects == "a number in [0, 1)"
    assert (
        adam.example
        == "optimizer:\n  type: adam\n  lr: 0.001\n  beta1: 0.9\n  beta2: 0.999\n  epsilon: 1e-08\n"
    )


def test_an_example_holds_what_is_required():
    (path, *_) = KNOWN["source.csv"]().keys
    assert path.required and "path: wine.csv" in KNOWN["source.csv"]().example


# A name -> the full names that it means.
NAMES = [
    ("adam", ["optimizer.adam"]),
    ("optimizer", ["optimizer"]),
    ("step", ["activation.step", "schedule.step"]),
    ("schedule.step", ["schedule.step"]),
    ("dropout", ["layer.dropout", "regularization.dropout"]),
    ("dataset.split", ["dataset.split"]),
    ("split", ["dataset.split"]),
    ("split.column", ["dataset.split.column"]),
    ("batch_size", ["training.batch_size"]),
    ("monitor", ["training.monitor", "early_stopping.monitor"]),
    ("seed", ["seed", "dataset.seed"]),
    ("dam", []),
    ("", []),
    ("optimizer.", []),
]


@pytest.mark.parametrize(("name", "meant"), NAMES)
def test_a_name_means_itself_and_what_ends_with_it(name, meant):
    assert matching(name, KNOWN) == meant


def test_every_section_is_there_and_no_key_of_it_is_forgotten():
    assert {key.name for key in KNOWN["training"]().keys} == {
        name.split(".")[1] for name in KNOWN if name.startswith("training.")
    }
    assert {
        "dataset",
        "dataset.split",
        "dataset.split.rows",
        "regularization",
        "early_stopping",
        "name",
        "dtype",
    } <= set(KNOWN)


def test_members_are_the_files_of_the_kind():
    activations = {
        path.stem for path in (Path(__file__).parents[2] / "nettrain/activations").glob("[!_]*.py")
    }
    assert {name for name, _ in KNOWN["activation"]().members} == activations
