"""No file makes a command import a plugin without --allow-plugins: every command, every file that can name one.

The plugin leaves a mark when it is imported. Each case is tried without the flag, which must leave no
mark, and with it, which must leave one: so the table itself is tested.
"""

import shutil
import uuid
from pathlib import Path

import pytest
import yaml

from nettrain.cli.main import COMMANDS
from nettrain.training.artifacts.checkpoint import Checkpoint

PLUGIN = '''\
"""Imported once per content: {nonce}."""
from dataclasses import dataclass
from pathlib import Path

from nettrain.nn.activation import Activation

Path({mark!r}).touch()


@dataclass(frozen=True, kw_only=True)
class Square(Activation):
    """y = x^2."""

    def apply(self, x):
        return x * x
'''
SERIAL = ["--executor", "serial", "--quiet"]
SWEEP = """\
base: flowers.yaml
metric: validation_loss
trials: 2
parameters: {optimizer.lr: {min: 1e-3, max: 1e-1}}
"""
ENSEMBLE = ["--set", "ensemble.members=2", *SERIAL]


@pytest.fixture(scope="module")
def finished(trained, command):
    """A folder with a run, a sweep, a cross-validation and two ensembles without plugins."""
    folder = trained
    (folder / "sweep.yaml").write_text(SWEEP)
    made = [
        ["sweep", "sweep.yaml", "--run-name", "sweep", *SERIAL],
        ["cv", "flowers.yaml", "--folds", "2", "--run-name", "cv", *SERIAL],
        ["ensemble", "flowers.yaml", "--run-name", "bag", *ENSEMBLE],
        ["ensemble", "flowers.yaml", "--run-name", "boost", "--set", "ensemble.method=boosting",
         "--set", "training.epochs=20", *ENSEMBLE],
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for arguments in made:
            found = command(*arguments)
            assert found.exit_code == 0, found.output
    return folder


def in_yaml(path):
    """Name the plugin in a YAML file."""
    content = yaml.safe_load(Path(path).read_text())
    content["plugins"] = [str(Path("mine.py").absolute())]
    Path(path).write_text(yaml.safe_dump(content))


def in_base_of(path):
    """Name it in the base inside a sweep's file."""
    content = yaml.safe_load(Path(path).read_text())
    if isinstance(content["base"], str):
        content["base"] = yaml.safe_load(Path(content["base"]).read_text())
    content["base"]["plugins"] = [str(Path("mine.py").absolute())]
    Path(path).write_text(yaml.safe_dump(content))


def in_checkpoint(path):
    """Name it in the metadata of a checkpoint."""
    checkpoint = Checkpoint.read(Path(path))
    plugins = [{"path": str(Path("mine.py").absolute()), "fingerprint": None}]
    content = dict(checkpoint.content)
    content["config"] = content["config"] | {"plugins": plugins}
    content.pop("format", None)
    Checkpoint(checkpoint.tensors, content).write(Path(path))


def in_member(path):
    """Name it in the metadata of a member inside an ensemble's checkpoint."""
    checkpoint = Checkpoint.read(Path(path))
    content = dict(checkpoint.content)
    content.pop("format", None)
    plugins = [{"path": str(Path("mine.py").absolute()), "fingerprint": None}]
    first, *others = content["members"]
    content["members"] = [first | {"config": first["config"] | {"plugins": plugins}}, *others]
    Checkpoint(checkpoint.tensors, content).write(Path(path))


def in_extended(path):
    """Name it in a file that `path` extends."""
    Path("extended.yaml").write_text(Path("flowers.yaml").read_text())
    in_yaml("extended.yaml")
    Path(path).write_text("extends: extended.yaml\n")


def in_initial_run(path):
    """Name it in the checkpoint whose weights a run begins with."""
    in_checkpoint("runs/flowers/checkpoints/best.safetensors")
    Path(path).write_text(Path(path).read_text() + "initialize_from: runs/flowers\n")


BEST, LAST = "checkpoints/best.safetensors", "checkpoints/last.safetensors"


def in_diverged_run(path):
    """Name it in the configuration of a run that diverged."""
    in_yaml(path)
    (Path(path).parent / "summary.json").write_text('{"stop_reason": "diverged"}')


# The command; how a file is made to name the plugin; the file; what is removed before.
CASES = [
    (["check", "flowers.yaml"], in_yaml, "flowers.yaml", []),
    (["doctor", "flowers.yaml", "--seconds", "1"], in_yaml, "flowers.yaml", []),
    (["fit", "flowers.yaml"], in_yaml, "flowers.yaml", []),
    (["fit", "flowers.yaml", "--dry-run"], in_yaml, "flowers.yaml", []),
    (["fit", "flowers.yaml", "--find-lr"], in_yaml, "flowers.yaml", []),
    (["fit", "child.yaml"], in_extended, "child.yaml", []),
    (["fit", "--resume", "runs/flowers"], in_yaml, "runs/flowers/config.yaml", []),
    (["fit", "--resume", "runs/flowers"], in_checkpoint, f"runs/flowers/{LAST}", []),
    (["gradcheck", "flowers.yaml"], in_yaml, "flowers.yaml", []),
    (["graph", "flowers.yaml"], in_yaml, "flowers.yaml", []),
    (["trace", "flowers.yaml"], in_yaml, "flowers.yaml", []),
    (["calibrate", "runs/flowers"], in_checkpoint, f"runs/flowers/{BEST}", []),
    (["importance", "runs/flowers"], in_checkpoint, f"runs/flowers/{BEST}", []),
    (["plot", "runs/flowers", "weights"], in_checkpoint, f"runs/flowers/{BEST}", []),
    (["report", "runs/flowers", "-o", "page.html", "--overwrite"], in_checkpoint, f"runs/flowers/{BEST}", []),
    (["eval", "runs/flowers"], in_checkpoint, f"runs/flowers/{BEST}", []),
    (["eval", "runs/bag"], in_checkpoint, f"runs/bag/{BEST}", []),
    (["eval", "runs/bag"], in_member, f"runs/bag/{BEST}", []),
    (["predict", "runs/flowers", "flowers.csv"], in_checkpoint, f"runs/flowers/{BEST}", []),
    (["predict", "runs/bag", "flowers.csv"], in_member, f"runs/bag/{BEST}", []),
    (["export", "runs/flowers", "--overwrite"], in_checkpoint, f"runs/flowers/{BEST}", []),
    (["export", "runs/flowers", "--to", "tensorboard", "--overwrite"], in_checkpoint, f"runs/flowers/{BEST}", []),
    (["export", "runs/bag", "--overwrite"], in_member, f"runs/bag/{BEST}", []),
    (["compare", "runs/flowers", "runs/cv/fold-1"], in_checkpoint, f"runs/flowers/{BEST}", []),
    (["verify", "runs/flowers"], in_yaml, "runs/flowers/config.yaml", []),
    (["autopsy", "runs/flowers"], in_diverged_run, "runs/flowers/config.yaml", []),
    (["explain", "square", "--config", "flowers.yaml"], in_yaml, "flowers.yaml", []),
    (["schema", "--config", "flowers.yaml"], in_yaml, "flowers.yaml", []),
    (["sweep", "sweep.yaml", *SERIAL], in_yaml, "flowers.yaml", []),
    (["sweep", "sweep.yaml", *SERIAL], in_base_of, "sweep.yaml", []),
    (["sweep", "--resume", "runs/sweep", *SERIAL], in_base_of, "runs/sweep/sweep.yaml", []),
    (["cv", "flowers.yaml", *SERIAL], in_yaml, "flowers.yaml", []),
    (["cv", "--resume", "runs/cv", *SERIAL], in_yaml, "runs/cv/base.yaml", []),
    (["cv", "--resume", "runs/cv", *SERIAL], in_checkpoint, f"runs/cv/fold-1/{BEST}", []),
    (["ensemble", "flowers.yaml", *SERIAL], in_yaml, "flowers.yaml", []),
    (["ensemble", "--resume", "runs/bag", *SERIAL], in_yaml, "runs/bag/config.yaml", []),
    (["ensemble", "--resume", "runs/bag", *SERIAL], in_checkpoint, f"runs/bag/member-1/{BEST}", []),
    (["ensemble", "--resume", "runs/boost", *SERIAL], in_checkpoint,
     f"runs/boost/member-1/{BEST}", ["runs/boost/member-2"]),
]  # fmt: skip
# They never import a plugin, with the flag or without it: they load no configuration.
NEVER = [
    (["fit", "flowers.yaml"], in_initial_run, "flowers.yaml"),
    (["init", "flowers.csv", "-o", "new.yaml"], in_yaml, "flowers.yaml"),
    (["runs", "runs"], in_yaml, "runs/flowers/config.yaml"),
    (["cache"], in_yaml, "flowers.yaml"),
    (["diff", "runs/flowers", "runs/cv/fold-1"], in_checkpoint, f"runs/flowers/{LAST}"),
]


@pytest.fixture
def place(finished, tmp_path, monkeypatch):
    """A copy of the finished folder as the current one, with a plugin that is new to this process."""
    folder = tmp_path / "work"
    shutil.copytree(finished, folder)
    for path in folder.rglob("*.yaml"):
        path.write_text(path.read_text().replace(str(finished), str(folder)))
    monkeypatch.chdir(folder)
    mark = folder / "imported"
    (folder / "mine.py").write_text(PLUGIN.format(nonce=uuid.uuid4(), mark=str(mark)))
    return mark


def id_of(case):
    arguments, naming, file, *_ = case
    return f"{' '.join(arguments).removesuffix(' '.join(SERIAL))}{naming.__name__} {file}"


@pytest.mark.parametrize("case", CASES, ids=id_of)
def test_a_plugin_is_imported_only_with_the_flag(place, command, case):
    arguments, naming, file, removed = case
    naming(file)
    for path in removed:
        shutil.rmtree(path)
    refused = command(*arguments)
    assert not place.exists(), "imported without --allow-plugins"
    assert "--allow-plugins" in refused.output and refused.exit_code in (0, 2), refused.output
    command(*arguments, "--allow-plugins")
    assert place.exists(), "the case names no plugin"


@pytest.mark.parametrize("case", NEVER, ids=id_of)
def test_what_needs_no_plugin_imports_none(place, command, case):
    arguments, naming, file = case
    naming(file)
    assert command(*arguments).exception.__class__ in (type(None), SystemExit)
    assert not place.exists()


def test_every_command_is_tried():
    tried = {arguments[0] for arguments, *_ in [*CASES, *NEVER]}
    assert tried == {name for _, name, _ in COMMANDS}
