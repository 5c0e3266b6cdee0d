"""Components of a user's own: imported with permission only, found while they are in use, forgotten afterwards."""

from pathlib import Path

import pytest

from nettrain.component import names
from nettrain.config.dump import dump
from nettrain.config.load import load
from nettrain.config.plugins import in_use
from nettrain.errors import ConfigError, PluginError
from nettrain.nn.activation import Activation

PLUGIN = '''\
"""A file of a user's own."""
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Positive
from nettrain.nn.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Square(Activation):
    """y = a x^2."""

    a: Annotated[Positive, Field(description="factor")] = 1.0

    def apply(self, x):
        return x * x * self.a
'''
CONFIG = """\
plugins: [mine.py]
dataset: {source: xor}
model: {type: mlp, hidden: [3], activation: {type: square, a: 2}}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(PLUGIN)
    Path("a.yaml").write_text(CONFIG)
    return tmp_path


def refused(text=CONFIG, *sets, allow=True):
    Path("a.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load("a.yaml", sets, allow_plugins=allow)
    return error.value.problems


def test_a_plugin_needs_permission(folder):
    Path("mine.py").write_text("raise SystemExit('this must not run')\n")
    (problem,) = refused(allow=False)
    assert problem.startswith(
        "a.yaml:1: plugins: mine.py: this is Python code, and a configuration may not run code"
    )
    assert "--allow-plugins" in problem and "allow_plugins=True" in problem


def test_its_components_are_found_by_name(folder):
    config = load("a.yaml", allow_plugins=True)
    assert (config.model.activation.name(), config.model.activation.a) == ("square", 2)
    assert refused(CONFIG.replace("square", "sqare"))[0].endswith(
        "prelu, relu, selu, sigmoid, silu, softmax, softplus, softsign, square, step, tanh)"
    )
    assert refused(CONFIG.replace("a: 2", "a: 0")) == [
        "a.yaml:3: model.activation.a: expected a number above 0, got 0"
    ]
    assert refused(CONFIG.replace("a: 2", "b: 2"))[0].startswith(
        "a.yaml:3: model.activation.b: unknown key 'b'"
    )


def test_a_bare_layer_may_be_a_plugged_in_activation(folder):
    Path("a.yaml").write_text(
        "plugins: [mine.py]\ndataset: {source: xor}\nmodel: {type: sequential, layers: [square, dense]}\n"
    )
    assert load("a.yaml", allow_plugins=True).model.layers[0].function.name() == "square"


def test_names_are_forgotten_after_use(folder):
    config = load("a.yaml", allow_plugins=True)
    assert "square" not in names(Activation)
    with in_use(config.plugins):
        assert "square" in names(Activation)
    assert "square" not in names(Activation)
    assert "square' does not exist" in refused(CONFIG.replace("plugins: [mine.py]", "seed: 0"))[0]


def test_a_configuration_does_not_see_the_plugins_of_another(folder):
    config = load("a.yaml", allow_plugins=True)
    Path("plain.yaml").write_text(CONFIG.replace("plugins: [mine.py]\n", ""))
    with in_use(config.plugins):
        with pytest.raises(ConfigError, match="'square' does not exist"):
            load("plain.yaml")
        assert "square" in names(Activation)


def test_the_resolved_configuration_has_the_path_and_the_fingerprint(folder):
    config = load("a.yaml", allow_plugins=True)
    assert (
        config.plugins[0].path == str(folder / "mine.py")
        and len(config.plugins[0].fingerprint) == 32
    )
    Path("sub").mkdir()
    Path("sub/resolved.yaml").write_text(dump(config))
    again = load("sub/resolved.yaml", allow_plugins=True)
    assert again == config and type(again.model.activation) is type(config.model.activation)
    assert load(config, allow_plugins=True) == config


def test_a_changed_file_is_noticed(folder):
    resolved = dump(load("a.yaml", allow_plugins=True))
    Path("mine.py").write_text(PLUGIN.replace("a x^2", "a x^3"))
    (problem,) = refused(resolved)
    assert problem.startswith("a.yaml:") and "mine.py: has changed since the run began" in problem


def test_a_changed_file_is_imported_anew(folder):
    load("a.yaml", allow_plugins=True)
    Path("mine.py").write_text(PLUGIN.replace("y = a x^2", "y = 3 x^2"))
    assert type(load("a.yaml", allow_plugins=True).model.activation).__doc__ == "y = 3 x^2."


def test_a_plugin_of_a_base_counts_from_the_base(folder):
    Path("sub").mkdir()
    Path("sub/b.yaml").write_text("extends: ../a.yaml\n")
    assert load("sub/b.yaml", allow_plugins=True).plugins[0].path == str(folder / "mine.py")


def test_no_bytecode_is_left_beside_the_file(folder):
    load("a.yaml", allow_plugins=True)
    assert sorted(path.name for path in folder.iterdir()) == ["a.yaml", "mine.py"]


# What stands in the file -> what is said of it, after its path.
FAULTS = [
    (
        PLUGIN.replace("class Square", "class Relu"),
        "the activation 'relu' exists already (nettrain's own); give class Relu another name",
    ),
    (
        PLUGIN.replace("@dataclass(frozen=True, kw_only=True)\n", ""),
        "class Square: put @dataclass(frozen=True, kw_only=True) above it",
    ),
    (
        PLUGIN.replace("frozen=True, ", ""),
        "class Square: put @dataclass(frozen=True, kw_only=True) above it",
    ),
    (
        PLUGIN.replace("def apply", "def aply"),
        "class Square lacks apply (the name of a mere base class begins with an underscore)",
    ),
    (
        PLUGIN.replace("class Square", "class _Square"),
        "defines no component: a class that derives from a kind, such as nettrain.Layer",
    ),
    (
        "x = 1\ny = nothing + x\n",
        "NameError: name 'nothing' is not defined\n  {path}:2, in <module>: y = nothing + x",
    ),
    ("x = (\n", "SyntaxError: '(' was never closed\n  {path}:1: x = ("),
    (
        "import absent_module\n",
        "ModuleNotFoundError: No module named 'absent_module'\n  {path}:1, in <module>: import absent_module",
    ),
    ("import sys\nsys.exit(3)\n", "SystemExit: 3\n  {path}:2, in <module>: sys.exit(3)"),
]


@pytest.mark.parametrize(("text", "said"), FAULTS, ids=[said[:40] for _, said in FAULTS])
def test_a_fault_of_the_file_is_told_in_short(folder, text, said):
    Path("mine.py").write_text(text)
    path = folder / "mine.py"
    (problem,) = refused()
    assert problem.startswith(f"a.yaml:1: plugins[0]: {path}: ")
    assert problem.removeprefix(f"a.yaml:1: plugins[0]: {path}: ") == said.format(path=path)


LAYER = """\
from dataclasses import dataclass
from nettrain.nn.layer import Layer


class _Base(Layer):
    def output_shape(self, shape):
        return shape

    def apply(self, x, scope):
        return x


@dataclass(frozen=True, kw_only=True)
class Mine(_Base):
    pass
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rows_apart", "independent_rows"),
        ("before", "with_next_activation"),
        ("least_rows", "min_batch_size"),
        ("field", "receptive_field"),
        ("ways", "bind_branches"),
    ],
)
@pytest.mark.parametrize("where", ["    pass\n", "class _Base(Layer):\n"], ids=["class", "base"])
def test_an_old_name_of_the_plugin_interface_is_refused_with_the_new_one(folder, old, new, where):
    Path("mine.py").write_text(LAYER.replace(where, f"{where}    {old} = None\n"))
    (problem,) = refused()
    assert problem.endswith(
        f"mine.py: class Mine: '{old}' is now called '{new}'; rename it in the plugin"
    )


def test_a_key_may_be_called_like_an_old_name(folder):
    Path("mine.py").write_text(LAYER.replace("    pass\n", "    field: int = 3\n"))
    Path("a.yaml").write_text(
        "plugins: [mine.py]\ndataset: {source: xor}\n"
        "model: {type: sequential, layers: [{type: mine, field: 4}, {type: dense}]}\n"
    )
    assert load("a.yaml", allow_plugins=True).model.layers[0].field == 4


@pytest.mark.parametrize(
    ("kind", "where", "renamed"),
    [
        ("Loss", "nn.loss", {"contains": "applies_activation", "flaw": "validate_targets"}),
        ("Augmentation", "data.augmentation", {"flaw": "validate_size"}),
        ("Transform", "data.transform", {"by_portions": "by_chunks"}),
        ("Rule", "optim", {"beside": "required_settings"}),
    ],
)
def test_all_old_names_of_a_class_are_told_at_once(folder, kind, where, renamed):
    Path("mine.py").write_text(
        f"from dataclasses import dataclass\nfrom nettrain.{where} import {kind}\n\n\n"
        f"@dataclass(frozen=True, kw_only=True)\nclass Mine({kind}):\n"
        "    apply = outputs = encode = rows = inverse_link = fit = update = None\n"
        + "".join(f"    {old} = None\n" for old in renamed)
    )
    (problem,) = refused()
    changes = ", ".join(f"'{old}' is now called '{new}'" for old, new in renamed.items())
    assert problem.endswith(f"mine.py: class Mine: {changes}; rename it in the plugin")


def test_two_plugins_cannot_give_the_same_name(folder):
    Path("yours.py").write_text(PLUGIN)
    (problem,) = refused(CONFIG.replace("[mine.py]", "[mine.py, yours.py]"))
    assert (
        f"plugins[1]: {folder / 'yours.py'}: the activation 'square' exists already ({folder / 'mine.py'})"
        in problem
    )


@pytest.mark.parametrize(("plugins", "said"), [
    ("[absent.py]", "absent.py: cannot be read: no such file or directory"),
    ("[3]", "a.yaml:1: plugins[0]: expected a mapping (keys: path, fingerprint), got 3"),
    ("mine.py", "a.yaml:1: plugins: expected a list, each item a mapping (keys: path, fingerprint), got 'mine.py'"),
])  # fmt: skip
def test_a_wrong_list_is_told(folder, plugins, said):
    assert said in refused(CONFIG.replace("[mine.py]", plugins))[0]


def test_a_failure_at_work_is_told_with_the_lines_of_the_plugin(folder):
    Path("mine.py").write_text(PLUGIN.replace("return x * x * self.a", "return self.missing(x)"))
    config = load("a.yaml", allow_plugins=True)
    with pytest.raises(PluginError) as error, in_use(config.plugins):
        config.model.activation.apply(1.0)
    path = folder / "mine.py"
    assert str(error.value) == (
        f"{path}: AttributeError: 'Square' object has no attribute 'missing'\n  {path}:18, in apply: return self.missing(x)"
    )
    with pytest.raises(ZeroDivisionError), in_use(config.plugins):
        1 / 0  # noqa: B018
