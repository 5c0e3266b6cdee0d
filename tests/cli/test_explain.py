import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from nettrain.autodiff.operations import operations
from nettrain.autodiff.primitive import Primitive
from nettrain.cli.catalogue import everything, file_schema
from nettrain.config.kinds import KINDS

PLUGIN = '''\
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Positive
from nettrain.nn.layer import Layer


@dataclass(frozen=True, kw_only=True)
class Raised(Layer):
    """y = x^p.

    Of my own.
    """

    p: Annotated[Positive, Field(description="the power")] = 2.0

    def output_shape(self, shape):
        return shape

    def apply(self, x, scope):
        return x**self.p
'''


@pytest.fixture
def plugged_in(folder):
    Path("mine.py").write_text(PLUGIN)
    Path("a.yaml").write_text(
        "plugins: [mine.py]\nmodel: {type: nonsense}\n"
    )  # what else is wrong with it does not matter


def test_without_a_name_everything_has_a_line(command):
    found = command("explain")
    assert found.exit_code == 0
    lines = found.stdout.splitlines()
    for start in ("adam ", "layer", "dataset.split.validation ", "log_softmax ", "xor "):
        assert any(line.startswith(start) for line in lines), start
    assert max(map(len, lines)) <= 120
    assert found.stderr == "next: nettrain explain NAME\n"


def test_a_component_has_formula_keys_source_and_example(command):
    text = command("explain", "adam").stdout
    parts = (
        "optimizer.adam (component)",
        "m = b1 m + (1-b1) g;",
        "Kingma & Ba 2015",
        "a number above 0",
        "optimizer:\n  type: adam\n",
    )
    for part in parts:
        assert part in text


def test_all_that_a_name_can_mean_is_shown(command):
    text = command("explain", "step").stdout
    assert (
        "activation.step (component)" in text
        and "schedule.step (component)" in text
        and "operation.step (operation)" in text
    )
    only = command("explain", "schedule.step").stdout
    assert "schedule.step (component)" in only and "activation.step" not in only


@pytest.mark.parametrize(("name", "said"), [
    ("adm", "explain: no component, section or key is named 'adm'; did you mean 'adam'?"),
    ("dataset.spli", "explain: no component, section or key is named 'dataset.spli'; did you mean 'dataset.split'?"),
    ("qqq", "explain: no component, section or key is named 'qqq'; `nettrain explain` lists everything"),
])  # fmt: skip
def test_an_unknown_name_is_told_with_the_nearest(command, name, said):
    found = command("explain", name)
    assert (found.exit_code, found.stdout, found.stderr) == (2, "", said + "\n")


def test_markup_in_a_docstring_is_shown_as_it_is(command):
    assert "q_j = (1 - s) [j = y] + s/k" in command("explain", "cross_entropy").stdout


def test_json_has_the_same(command):
    listed = json.loads(command("explain", "--json").stdout)
    assert {"name": "tanh", "summary": "y = tanh x."}["name"] in [
        one["name"] for one in listed["activation"]
    ]
    assert {"source", "optimizer", "operation", "sections and keys"} <= set(listed)
    (adam,) = json.loads(command("explain", "adam", "--json").stdout)["found"]
    assert adam["keys"][0] == {
        "name": "lr", "expects": "a number above 0", "required": False, "default": 0.001,
        "description": "learning rate, before the schedule",
    }  # fmt: skip


def test_a_plugin_is_explained_where_it_is_allowed(plugged_in, command):
    assert command("explain", "raised").exit_code == 2
    refused = command("explain", "raised", "--config", "a.yaml")
    assert refused.exit_code == 2 and "--allow-plugins" in refused.stderr
    text = command("explain", "raised", "--config", "a.yaml", "--allow-plugins").stdout
    for part in (
        "layer.raised (component)",
        "y = x^p.",
        "Of my own.",
        "the power",
        "  - type: raised\n    p: 2.0",
    ):
        assert part in text
    assert (
        "name the configuration that has the plugins"
        in command("explain", "--allow-plugins").stderr
    )


def test_the_schema_is_printed_or_written(folder, command):
    printed = command("schema")
    assert json.loads(printed.stdout) == json.loads(json.dumps(file_schema()))
    written = command("schema", "-o", "nettrain.schema.json")
    assert written.stdout == "" and Path("nettrain.schema.json").read_text() == printed.stdout
    assert f"# yaml-language-server: $schema={folder / 'nettrain.schema.json'}" in written.stderr
    assert "the folder 'absent' does not exist" in command("schema", "-o", "absent/a.json").stderr


def test_the_schema_knows_plugins_where_they_are_allowed(plugged_in, command):
    layer = {"type": "sequential", "layers": ["raised", {"type": "raised", "p": 3}, "dense"]}
    config = {"plugins": ["mine.py"], "dataset": {"source": "xor"}, "model": layer}
    plain = json.loads(command("schema").stdout)
    own = json.loads(command("schema", "--config", "a.yaml", "--allow-plugins").stdout)
    assert not Draft202012Validator(plain).is_valid(config)
    assert Draft202012Validator(own).is_valid(config)


def test_every_operation_has_a_name_and_its_equation():
    waiting, classes = [Primitive], set()
    found = operations()
    while waiting:
        waiting += (subclasses := waiting.pop().__subclasses__())
        classes |= {cls for cls in subclasses if cls.__module__.startswith("nettrain.autodiff.ops")}
    concrete = {
        cls for cls in classes if not cls.__abstractmethods__ and not cls.__name__.startswith("_")
    }
    assert set(found.values()) == concrete and all(cls.__doc__ for cls in concrete)


def complete(command_line, shell="bash"):
    """What the shell would offer: the protocol of Click, which Typer speaks."""
    from typer.testing import CliRunner

    from nettrain.cli.main import app

    words = command_line.split(" ")
    environment = {
        "_NETTRAIN_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": command_line,
        "COMP_CWORD": str(len(words) - 1),
    }
    return CliRunner().invoke(app, [], env=environment, prog_name="nettrain").stdout.split()


def test_the_shell_completes_commands_names_and_files(folder):
    Path("sub").mkdir()
    Path("notes.txt").write_text("")
    assert complete("nettrain expl") == ["explain"]
    assert complete("nettrain explain ada") == ["adadelta", "adagrad", "adam", "adamw"]
    assert complete("nettrain explain schedule.s") == ["schedule.step"]
    assert complete("nettrain fit f") == ["flowers.yaml"]
    assert complete("nettrain check ") == ["flowers.yaml", "sub/"]
    assert complete("nettrain check absent/") == []


def test_completion_can_be_installed(command):
    assert "--install-completion" in command("--help").stdout


@pytest.mark.parametrize(("name", "parts"), [
    ("optimizer.lr", ["optimizer.lr (key)", "learning rate", "optimizer.adam", "a number above 0", "optimizer:\n  type: "]),
    ("optimizer.adam.lr", ["A key of optimizer.adam.", "0.001"]),
    ("schedule.warmup", ["schedule.cosine", "schedule.constant"]),
    ("model.blocks[0].filters", ["a positive integer", "type: cnn"]),
    ("dataset.source.target", ["source.csv", "source.parquet"]),
    ("layer.units", ["layer.dense"]),
    ("sweep", ["sweep (section)", "parameters", "early_terminate", "trials"]),
    ("trials", ["sweep.trials (key)", "trials: 40"]),
    ("sweep.parameters", ["optimizer.lr"]),
    ("sweep.early_terminate.min_epochs", ["a positive integer"]),
    ("plugins", ["plugins: [my_layers.py]"]),
    ("ensemble.members", ["an integer from 2 to 1000"]),
])  # fmt: skip
def test_every_key_that_can_be_set_is_explained(command, name, parts):
    found = command("explain", name)
    assert found.exit_code == 0, found.stderr
    for part in parts:
        assert part in found.stdout, found.stdout


def test_a_kind_speaks_of_yaml_alone(command):
    for kind in (kind.kind for kind in KINDS):
        text = command("explain", kind).stdout
        assert f"nettrain explain --plugin {kind}" in text
        for internal in ("ClassVar", "Tensor", "def ", "self,", "Args:", "Attributes:", "ndarray"):
            assert internal not in text.partition(f"{kind}  ")[0], (kind, internal)


def test_a_line_of_the_catalogue_that_is_cut_ends_in_an_ellipsis(command):
    lines = [line.rstrip() for line in command("explain").stdout.splitlines()]
    found = [(full.rpartition(".")[2], make().summary) for full, make in everything().items()]
    summaries = set(found)  # of a name too, which an operation and a transform can share
    cut = [line for line in lines if line.endswith("…")]
    assert cut and max(map(len, lines)) <= 120
    for line in lines:
        name, _, rest = line.partition(" ")
        if name in dict(found) and rest.strip() and not line.endswith("…"):
            assert (name, rest.strip()) in summaries, line


def test_a_plugin_page_has_base_methods_and_a_whole_example(command):
    text = command("explain", "--plugin", "layer").stdout
    for part in (
        "derive from nettrain.Layer",
        "apply(self, x, scope)",
        "required",
        "class Gate(TrainedLayer):",
    ):
        assert part in text
    page = json.loads(command("explain", "--plugin", "loss", "--json").stdout)
    assert page["base"] == "nettrain.Loss" and "class Brier(Loss):" in page["example"]
    found = command("explain", "--plugin", "lyer")
    assert found.exit_code == 2 and "there is no kind 'lyer'; did you mean 'layer'?" in found.stderr
    assert command("explain", "adam", "--plugin", "layer").exit_code == 2


def test_prose_is_broken_by_the_terminal_and_yaml_is_not_joined(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    shown = [line.rstrip() for line in command("explain", "tabm").stdout.splitlines()]
    first = shown.index(next(line for line in shown if line.startswith("The members share")))
    paragraph = shown[first : shown.index("", first)]
    assert all(len(line) > 40 for line in paragraph[:-1])
    assert "dataset:" in shown and "regularization: {dropout: 0.1}" in shown
