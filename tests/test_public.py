"""The public surface: what `import nettrain` offers, lazily and with types, and the examples that use it."""

import ast
import subprocess
import sys
import types
from importlib.machinery import ModuleSpec
from pathlib import Path
from unittest import mock

import pytest

import nettrain
from nettrain.cli.plugin_page import plugin_page
from nettrain.config.kinds import KINDS
from nettrain.config.load import load
from nettrain.config.yaml_text import read

REPOSITORY = Path(__file__).parents[1]
PLUGINS = REPOSITORY / "configs/plugins"
SOURCE = (REPOSITORY / "nettrain/__init__.py").read_text(encoding="utf-8")

# What each example's YAML leaves open.
BASE = {
    "dataset": {"source": "iris", "split": {"validation": 0.2, "test": 0.2}},
    "model": {"type": "mlp", "hidden": [4]},
    "training": {"epochs": 2},
}


def test_every_public_name_can_be_imported():
    assert set(nettrain.__all__) == set(dir(nettrain))
    for name in nettrain.__all__:
        assert getattr(nettrain, name).__class__ is not None, name
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        nettrain.trian  # noqa: B018


def test_a_type_checker_is_told_of_the_same_names():
    block = next(node for node in ast.parse(SOURCE).body if isinstance(node, ast.If))
    typed = {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == nettrain._HOME_OF
    assert (REPOSITORY / "nettrain/py.typed").exists()


def test_the_base_of_every_kind_is_public():
    for kind in KINDS:
        assert getattr(nettrain, kind.__name__) is kind


def test_importing_nettrain_imports_neither_numpy_nor_pydantic():
    code = "import sys, nettrain; dir(nettrain); print({'numpy', 'pydantic', 'yaml'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def merged(under, over):
    if isinstance(under, dict) and isinstance(over, dict) and "type" not in over:
        return under | {key: merged(under.get(key), value) for key, value in over.items()}
    return over


def stand_in_for_wandb():
    """A minimal wandb: the real one is not installed for tests."""
    wandb = types.ModuleType("wandb")
    wandb.__spec__ = ModuleSpec("wandb", None)
    wandb.runs = []
    wandb.init = lambda **keys: wandb.runs.append(mock.MagicMock(keys=keys)) or wandb.runs[-1]
    return wandb


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
def test_the_example_of_each_kind_trains(kind, tmp_path, monkeypatch):
    page = plugin_page(kind)
    _, _, usage = ast.get_docstring(ast.parse(page.example)).partition("\n\n")
    monkeypatch.chdir(
        PLUGINS.parent
    )  # its YAML names the file relative to a config beside the folder
    config = merged(BASE, read(usage, str).value)
    if kind == "logger":
        monkeypatch.setitem(sys.modules, "wandb", stand_in_for_wandb())
    result = nettrain.train(config, output_directory=tmp_path, allow_plugins=True)
    assert result.metrics["test"]["loss"] >= 0
    assert page.base.removeprefix("nettrain.") in nettrain.__all__
    if kind == "logger":
        (run,) = sys.modules["wandb"].runs
        assert result.warnings == [] and run.keys["config"]["model"]["hidden"] == [4]
        assert [call.kwargs["step"] for call in run.log.mock_calls] == [1, 2]
        run.finish.assert_called_once_with(exit_code=0)


@pytest.mark.parametrize("file", sorted(PLUGINS.glob("*.py")), ids=lambda file: file.stem)
def test_an_example_imports_public_names_only(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("nettrain"):
            assert node.module in ("nettrain", "nettrain.autodiff")
    assert file.stem in {kind.kind for kind in KINDS}


def test_every_kind_has_a_page_with_the_methods_to_define():
    for kind in KINDS:
        page = plugin_page(kind.kind)
        assert page.summary and [method for method in page.methods if method.required]
        assert all(method.description for method in page.methods), page.kind


def test_the_callback_example_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, REPOSITORY / "configs/callback.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first, *_, last = done.stdout.splitlines()
    assert first.startswith("epoch 1: validation loss ") and last.startswith("test accuracy ")


def test_cross_validation_and_ensembles_run_from_python(tmp_path):
    config = {"dataset": {"source": "xor"}, "model": "mlp", "training": {"epochs": 1}}
    more = {"output_directory": tmp_path, "executor": "serial"}
    found = nettrain.cross_validate(config, folds=3, **more)
    assert len(found.folds) == 3 and "accuracy" in found.mean
    members = nettrain.ensemble(config | {"ensemble": {"members": 2}}, **more)
    assert len(members.members) == 2 and nettrain.load(members.directory).classes
    with pytest.raises(nettrain.ConfigError, match="folds"):
        nettrain.cross_validate(config, folds=1, **more)


def test_the_configurations_in_readme_load():
    blocks = (REPOSITORY / "README.md").read_text(encoding="utf-8").split("```yaml\n")[1:]
    assert blocks
    for block in blocks:
        load(read(block.partition("```")[0], str).value)


@pytest.mark.slow
def test_mypy_sees_the_types_of_a_users_script(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import nettrain\n"
        "reveal_type(nettrain.train('a.yaml').metrics)\n"
        "reveal_type(nettrain.Layer)\n"
        "nettrain.train(3)\n"
    )
    examples = [REPOSITORY / "configs/callback.py", *sorted(PLUGINS.glob("*.py"))]
    mypy = [sys.executable, "-m", "mypy", "--strict", "--disable-error-code=type-arg"]
    mypy.append("--ignore-missing-imports")  # of wandb, which an example logs to
    options = ["--cache-dir", tmp_path / "cache", "--config-file", ""]
    done = subprocess.run(
        [*mypy, *options, *examples], cwd=REPOSITORY, capture_output=True, text=True
    )
    ours = [line for line in done.stdout.splitlines() if line.startswith("configs/")]
    assert [line for line in ours if "error" in line] == [], done.stdout[-2000:]
    done = subprocess.run([*mypy, *options, script], cwd=REPOSITORY, capture_output=True, text=True)
    assert 'Revealed type is "dict[str, dict[str, float]]"' in done.stdout.replace("builtins.", "")
    assert 'Argument 1 to "train" has incompatible type "int"' in done.stdout
