"""The JSON Schema against the loader: what one takes the other takes, in every component, in our configurations and in broken ones."""

from functools import cache
from pathlib import Path

import pytest
from fuzzing.schema_grammar import Grammar
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from nettrain.component import Component, names, to_mapping
from nettrain.config.json_schema import bare_names, json_schema
from nettrain.config.kinds import KINDS
from nettrain.config.load import load
from nettrain.config.yaml_text import read
from nettrain.errors import ConfigError
from nettrain.search.sweep.spec import SweepSpec

FOLDER = Path(__file__).parents[2] / "configs"
SWEEPS = sorted((FOLDER / "sweeps").glob("*.yaml"))
CONFIGS = sorted(FOLDER.glob("*.yaml")) + sorted((FOLDER / "ensembles").glob("*.yaml"))
CONFIGS.remove(
    FOLDER / "own_components.yaml"
)  # whose plugins the schema knows where they are allowed
SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
COMPONENTS = [(kind, name) for kind in KINDS for name in names(kind)]

MINIMAL = {"dataset": {"source": "xor"}, "model": {"type": "mlp", "hidden": [4]}}


def test_every_kind_is_in_the_schema():
    found, waiting = set(), [Component]
    while waiting:
        waiting += (subclasses := waiting.pop().__subclasses__())
        found |= {
            cls
            for cls in subclasses
            if "kind" in cls.__dict__ and cls.__module__.startswith("nettrain.")
        }
    assert found == set(KINDS)


def test_it_is_a_schema_of_the_named_draft():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_of_ours_is_valid(path):
    assert list(VALIDATOR.iter_errors(read(path.read_text(), str).value)) == []


WHOLE = Draft202012Validator(json_schema(SweepSpec))


@pytest.mark.parametrize("path", CONFIGS + SWEEPS, ids=lambda path: path.stem)
def test_one_schema_takes_runs_ensembles_and_sweeps(path):
    assert list(WHOLE.iter_errors(read(path.read_text(), str).value)) == []
    assert VALIDATOR.is_valid(read(path.read_text(), str).value) is (path not in SWEEPS)


SWEEP = {"base": MINIMAL, "parameters": {"optimizer.lr": {"values": [0.1]}}}


@pytest.mark.parametrize(("change", "good"), [
    ({}, True), ({"trials": 3}, True), ({"trials": 0}, False), ({"method": "best"}, False), ({"trails": 3}, False), ({"base": "a.yaml"}, True),
    ({"base": {"model": 3}}, False), ({"metric": "validation_loss"}, True), ({"early_terminate": "median"}, True), ({"dataset": {}}, False),
    ({"parameters": {"optimizer.lr": {"valeus": [1]}}}, False), ({"early_terminate": {"type": "hyperbend"}}, False),
])  # fmt: skip
def test_a_changed_sweep_is_valid_only_if_it_is_good(change, good):
    assert WHOLE.is_valid(SWEEP | change) is good


# What is changed in a good configuration, and whether it is good then.
CHANGES = [
    ({}, True),
    ({"optimizer": "adam"}, True),
    ({"optimizer": {"type": "adam", "lr": 1}}, True),
    (
        {
            "model": {
                "type": "sequential",
                "layers": ["relu", {"type": "dense"}, {"type": "activation", "function": "tanh"}],
            }
        },
        True,
    ),
    ({"loss": None}, True),
    ({"extends": "base.yaml"}, True),
    ({"extends": ["a.yaml", "b.yaml"]}, True),
    ({"extends": 3}, False),
    ({"sed": 1}, False),
    ({"seed": -1}, False),
    ({"seed": True}, False),
    ({"dtype": "float16"}, False),
    ({"dataset": {}}, False),
    ({"dataset": {"source": "csv"}}, False),
    ({"dataset": {"source": "xor", "split": {"test": 1}}}, False),
    ({"model": {"type": "sequential"}}, False),
    ({"model": {"type": "mlp"}}, True),
    ({"model": "mlp"}, True),
    ({"model": "cnn"}, True),
    ({"model": "sequential"}, False),
    ({"model": {"type": "mlp", "hidden": [0]}}, False),
    ({"model": {"type": "mlp", "hidden": [1], "hiden": 1}}, False),
    ({"model": {"type": "mpl", "hidden": [1]}}, False),
    ({"model": {"hidden": [1]}}, False),
    ({"model": {"type": "sequential", "layers": ["rel"]}}, False),
    (
        {
            "model": {
                "type": "sequential",
                "layers": [
                    {"type": "dense", "initializer": {"type": "he", "distribution": "wide"}}
                ],
            }
        },
        False,
    ),
    ({"optimizer": "adm"}, False),
    ({"optimizer": {"type": "adam", "lr": 0}}, False),
    ({"training": {"epochs": "30"}}, False),
    ({"early_stopping": {"patience": 0}}, False),
]


@pytest.mark.parametrize(("change", "good"), CHANGES, ids=str)
def test_a_changed_configuration_is_valid_only_if_it_is_good(change, good):
    assert VALIDATOR.is_valid(MINIMAL | change) is good
    if "extends" not in change:
        assert loads(MINIMAL | change) is good


def test_what_is_required_may_stand_in_the_extended_file():
    assert VALIDATOR.is_valid({"extends": "base.yaml", "dataset": {"limit": 100}})
    assert not VALIDATOR.is_valid({"dataset": {"limit": 100}, "model": MINIMAL["model"]})


def test_an_editor_can_show_what_each_key_is():
    adam = SCHEMA["$defs"]["optimizer.adam"]
    rate = {
        "type": "number",
        "exclusiveMinimum": 0,
        "default": 1e-3,
        "description": "learning rate, before the schedule",
    }
    assert adam["properties"]["lr"] == rate
    assert "Kingma" not in adam["description"] and adam["description"].startswith("Adam. m = b1 m")
    described = {
        item["const"]: item["description"]
        for item in SCHEMA["$defs"]["layer"]["anyOf"]
        if "const" in item
    }
    assert described["relu"].startswith("ReLU. y = max(x, 0)") and described["dense"].startswith(
        "Fully connected. y = x w + b"
    )
    assert SCHEMA["properties"]["optimizer"]["default"]["type"] == "adam"


@pytest.mark.parametrize(
    ("kind", "name"), COMPONENTS, ids=lambda value: getattr(value, "kind", value)
)
def test_every_key_says_what_it_is(kind, name):
    properties = SCHEMA["$defs"][f"{kind.kind}.{name}"]["properties"]
    assert [key for key, schema in properties.items() if not schema.get("description")] == []


def test_a_bare_name_stands_for_what_needs_no_key():
    for kind in KINDS:
        for name in bare_names(kind):
            component = kind.parse(name)
            assert kind.parse(to_mapping(component)) == component
            assert name == component.name() or component.name() == "activation"
    assert "csv" not in bare_names(KINDS[0]) and "digits" in bare_names(KINDS[0])


def loads(config):
    try:
        load(config)
    except ConfigError:
        return False
    return True


GRAMMAR = Grammar(SCHEMA)


@cache
def validator(record):
    """The judge of one component; one that has resolved a reference knows it."""
    return Draft202012Validator({"$ref": f"#/$defs/{record}", "$defs": SCHEMA["$defs"]})


def parses(kind, mapping):
    """Whether a component can be made of it; None: but for a relation between keys, which no schema can tell."""
    try:
        kind.parse(mapping)
    except ValidationError as error:
        related = all(
            line["type"] == "value_error" and isinstance(line["input"], dict)
            for line in error.errors()
        )
        return None if related else False
    except PydanticCustomError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "name"), COMPONENTS, ids=lambda value: getattr(value, "kind", value)
)
@settings(max_examples=15, deadline=None)
@given(chosen=st.data())
def test_the_schema_takes_what_the_loader_takes(kind, name, chosen):
    record = f"{kind.kind}.{name}"
    mapping = chosen.draw(GRAMMAR.of(record))
    assert mapping["type"] == name  # of the kind's forms no other has this type
    loaded = parses(kind, mapping)
    if loaded is not None:
        assert validator(record).is_valid(mapping) is loaded


def test_true_is_no_number():
    (model,) = (kind for kind in KINDS if kind.kind == "model")
    assert parses(model, {"type": "tabular", "rate_spread": True}) is False


def test_the_schema_of_a_kind_has_one_form_for_each_of_its_components():
    for kind in KINDS:
        forms = SCHEMA["$defs"][kind.kind]["anyOf"]
        types = [
            SCHEMA["$defs"][form["$ref"].rpartition("/")[2]]["properties"].get("type")
            for form in forms
            if "$ref" in form
        ]
        assert sorted(one["const"] for one in types if one) == sorted(names(kind))
