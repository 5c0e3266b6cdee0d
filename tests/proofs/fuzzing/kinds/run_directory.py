"""Directories of runs, sweeps, folds and ensembles with damaged files, and every command that reads one."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import yaml
from fuzzing.case import DANGLING, ENDLESS, FIFO, FOLDER, Case
from fuzzing.damage import damaged
from fuzzing.json_values import VALUES, deepened, mutations
from fuzzing.pick import pick, pick_evenly
from fuzzing.runs import files_of, made
from hypothesis import strategies as st

COMMANDS = {
    "run": [
        ["runs", "."], ["runs", ".", "--where", "model.type=mlp", "--sort", "metric", "--json"], ["eval", "r"], ["eval", "r", "--json"],
        ["fit", "--resume", "r", "--quiet"], ["fit", "--resume", "r", "--set", "training.epochs=3", "--quiet"], ["diff", "r", "sound"],
        ["compare", "r", "sound"], ["report", "r", "-o", "r.html"], ["plot", "r", "curves", "-o", "r.svg"], ["plot", "r", "curves", "--terminal"],
        ["plot", "r", "confusion", "-o", "r.svg"], ["plot", "r", "diagnostics", "-o", "r.svg"], ["calibrate", "r"], ["importance", "r"],
        ["verify", "r"], ["autopsy", "r"], ["export", "r", "--to", "numpy", "-o", "out"], ["export", "r", "--to", "tensorboard", "-o", "out"],
        ["export", "r", "--to", "onnx", "-o", "out"], ["runs", ".", "--delete", "r"], ["predict", "r", "t.csv"],
    ],
    "ensemble": [["runs", "."], ["runs", "r"], ["eval", "r"], ["report", "r", "-o", "r.html"], ["compare", "r", "r"], ["runs", ".", "--delete", "r"],
                 ["ensemble", "--resume", "r", "--executor", "serial", "--quiet"]],
    "cv": [["runs", "."], ["runs", "r"], ["report", "r", "-o", "r.html"], ["compare", "r", "r"], ["runs", ".", "--delete", "r"],
           ["cv", "--resume", "r", "--executor", "serial", "--quiet"]],
    "sweep": [["runs", "."], ["runs", "r"], ["report", "r", "-o", "r.html"], ["compare", "r", "r"], ["runs", ".", "--delete", "r"],
              ["sweep", "--resume", "r", "--executor", "serial", "--quiet"], ["export", "r", "--to", "tensorboard", "-o", "out"]],
}  # fmt: skip
# How often a command is tried, beside 20 of the others: a plot takes .1 s, a report up to 1.7 s, all others some .03 s.
SHARES = {"plot": 5, "report": 1}
_PLACE: list[Path] = []


def prepare(folder: Path) -> None:
    """Train the directories that are damaged."""
    import matplotlib.font_manager  # noqa: F401, asks the system for its fonts once
    import onnx  # noqa: F401, takes memory that no input asks for
    import onnxruntime  # noqa: F401

    _PLACE.append(made(folder))


def words() -> list[str]:
    """What a guided change puts in: JSON values."""
    return [json.dumps(value) for value in VALUES]


def cases() -> st.SearchStrategy[Case]:
    """A directory by name, the contents of the files that are changed in it, and a command."""
    return _cases()


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    name = pick_evenly(draw, ["table", "table", "images", "values", "ensemble", "cv", "sweep"])
    sound = files_of(_PLACE[0] / name)
    files: dict[str, Any] = {}
    for path in draw(st.lists(st.sampled_from(sorted(sound)), min_size=1, max_size=2, unique=True)):
        content: Any = sound[path]
        match draw(st.integers(0, 19)):
            case 7:
                content = pick(draw, [FIFO, ENDLESS, FOLDER, DANGLING, b""])
            case 8 | 9 | 10:
                content = draw(damaged(content))
            case _:
                content = _changed(draw, path, content)
        files[f"r/{path}"] = content
    if draw(st.integers(0, 9)) == 7:
        files[pick(draw, ["r/thesis.txt", "r/checkpoints/x", "r/é", "r/config.yaml.bak"])] = b"mine"
    command = _command(draw, COMMANDS.get(name, COMMANDS["run"]))
    return Case("run_directory", {"directory": name, "command": command}, files)


def _command(draw: st.DrawFn, commands: list[list[str]]) -> list[str]:
    """Every command as often as any other, however many forms it has, but for those that take long."""
    forms: dict[str, list[list[str]]] = {}
    for one in commands:
        forms.setdefault(one[0], []).append(one)
    names = [name for name in forms for _ in range(SHARES.get(name, 20))]
    return pick_evenly(draw, forms[pick_evenly(draw, names)])


def _changed(draw: st.DrawFn, path: str, content: bytes) -> bytes:
    """The file with other values in it, as its format has them."""
    match path.rpartition(".")[2]:
        case "json":
            return deepened(json.dumps(draw(mutations(json.loads(content)))))
        case "jsonl":
            rows = [json.loads(line) for line in content.splitlines()]
            return deepened("\n".join(json.dumps(row) for row in _rows(draw, rows)))
        case "yaml":
            value = draw(mutations(yaml.safe_load(content)))
            return deepened(yaml.safe_dump(value, allow_unicode=True))
    return draw(damaged(content))


def _rows(draw: st.DrawFn, rows: list[Any]) -> list[Any]:
    found = draw(mutations(rows))
    return found if isinstance(found, list) else [found]


def run(case: Case, folder: Path) -> None:
    """The command ends with an exit code of its own; files of the user's are still there."""
    from typer.testing import CliRunner

    from nettrain.cli.main import app

    sound = _PLACE[0] / case.arguments["directory"]
    shutil.rmtree(folder / "r")
    for name in ("sound", "r"):
        shutil.copytree(sound, folder / name, copy_function=shutil.copyfile)
    case.write(folder)
    shutil.copy(_PLACE[0].parent / "t.csv", folder / "t.csv")
    before = os.getcwd()
    os.chdir(folder)
    try:
        result = CliRunner().invoke(app, case.arguments["command"])
    finally:
        os.chdir(before)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert (folder / "sound").is_dir()
    for name, content in case.files.items():
        assert content != b"mine" or (folder / name).is_file(), f"{name} has been removed"
    if result.exit_code:
        from nettrain.errors import NettrainError

        raise NettrainError(result.output[-20_000:] or "no word")
