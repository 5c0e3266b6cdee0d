"""Commands that write or read files, what they leave, and what is done after they have failed."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from processes.run_content import json_lines, whole_content, without_seconds

Words = Sequence[str]

CONFIG: dict[str, Any] = {
    "dataset": {
        "source": {"type": "npz", "path": "rows.npz"},
        "split": {"validation": 0.25, "test": 0.2},
    },
    "model": {"type": "mlp", "hidden": [4]},
    "training": {"epochs": 2, "batch_size": 30, "kernels": "numpy", "snapshots": 2},
    "diagnostics": True,
}
TABLE: dict[str, Any] = {
    "dataset": {"source": {"type": "csv", "path": "table.csv", "target": "kind", "read": "disk"}},
    "model": {"type": "mlp", "hidden": [4]},
    "training": {"epochs": 1, "kernels": "numpy"},
}
SWEEP: dict[str, Any] = {
    "base": {**CONFIG, "training": {"epochs": 1, "kernels": "numpy"}, "diagnostics": False},
    "method": "grid",
    "metric": "validation_loss",
    "parameters": {"optimizer.lr": {"values": [0.01, 0.02, 0.03]}},
}
OLD = b"what was here before"


@dataclass(frozen=True)
class Command:
    """One command of nettrain in a folder of its own, which is the current one.

    Attributes:
        words: Its arguments.
        leaves: What it has left in the folder, as far as it is the same each time.
        watch: The folder of the files whose calls fail.
        begins_with: Folders and files that it finds, copied from those of the campaign.
        readers: Commands that afterwards end with 0, or with a message where they find nothing.
        again: What is done after a failure: it must end with 0, and leave what there would be.
        writes: A file that afterwards is the old one or the new one.
        loads: Checkpoints; if they are all there, readers must load them.
        tells: Where a command that goes on tells of a run that failed: files of results.
    """

    words: Words
    leaves: Callable[[Path], Any]
    watch: str = "out"
    begins_with: tuple[str, ...] = ()
    readers: tuple[Words, ...] = ()
    again: Callable[[Path], Words] | None = None
    writes: str = ""
    loads: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()

    def prepare(self, folder: Path, data: Path) -> None:
        """Make the folder anew."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for file in data.iterdir():
            if file.is_file():
                (folder / file.name).symlink_to(file)
        for name in self.begins_with:
            shutil.copytree(data / name, folder / name, symlinks=True)
        (folder / self.watch).mkdir(exist_ok=True)
        if self.writes:
            (folder / self.writes).write_bytes(OLD)


def write_files(folder: Path) -> None:
    """The configurations that the commands take."""
    for name, content in {"run": CONFIG, "disk": TABLE, "sweep": SWEEP}.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def _run(folder: Path) -> Any:
    return whole_content(folder / "out/run")


def _resume(folder: Path) -> Words:
    run = folder / "out/run"
    if (run / "config.yaml").exists():
        return ["fit", "--resume", "out/run", "--quiet"]
    overwrite = ["--overwrite"] if run.exists() else []
    return [*FIT, *overwrite]


def _search(name: str, *config: str) -> Callable[[Path], Words]:
    def again(folder: Path) -> Words:
        found = folder / "out/search"
        marks = ("sweep.yaml", "cv.json", "ensemble.json")
        if any((found / mark).exists() for mark in marks):
            return [name, "--resume", "out/search", *SERIAL]
        if found.exists():  # made, and nothing in it yet
            shutil.rmtree(found)
        return [name, *config, *IN_SEARCH, *SERIAL]

    return again


def _table_of_trials(folder: Path) -> Any:
    found = folder / "out/search"
    trials = sorted(json_lines(found / "trials.jsonl"), key=lambda trial: trial["index"])
    summary = json.loads((found / "summary.json").read_text())
    return trials, without_seconds(summary["final"]["metrics"]), summary["best"]["index"]


def _summaries(folder: Path) -> Any:
    return {
        str(file.relative_to(folder)): _metrics(json.loads(file.read_text()))
        for file in sorted((folder / "out/search").rglob("summary.json"))
    }


def _metrics(summary: dict[str, Any]) -> Any:
    return {key: summary.get(key) for key in ("metrics", "mean", "folds", "test", "vote")}


def _bytes(*names: str) -> Callable[[Path], Any]:
    return lambda folder: [(folder / name).read_bytes() for name in names]


def _page(folder: Path) -> Any:
    return (folder / "out/page.html").read_text().rstrip().endswith("</html>")


FIT = ("fit", "run.yaml", "-o", "out", "--run-name", "run", "--quiet")
IN_SEARCH = ("-o", "out", "--run-name", "search")
SERIAL = ("--executor", "serial", "--quiet")
READ_RUN = (("runs", "out"), ("eval", "out/run"))
LAST = "out/run/checkpoints/last.safetensors"
BEST = "out/run/checkpoints/best.safetensors"
CV = ("run.yaml", "--folds", "2")
ENSEMBLE = ("run.yaml", "--set", "ensemble.members=2")

COMMANDS: dict[str, Command] = {
    "fit": Command(FIT, _run, readers=READ_RUN, again=_resume, loads=(LAST,)),
    "resume": Command(
        ("fit", "--resume", "out/run", "--quiet"),
        _run,
        begins_with=("out",),
        readers=READ_RUN,
        again=_resume,
        loads=(LAST,),
    ),
    "overwrite": Command(
        (*FIT, "--overwrite"),
        _run,
        begins_with=("out",),
        readers=READ_RUN,
        again=lambda folder: [*FIT, "--overwrite"],
        loads=(LAST, BEST),  # of a run that is removed, one may be left
    ),
    "eval": Command(
        ("eval", "out/run", "--json"), _run, begins_with=("out",), readers=READ_RUN, loads=(LAST,)
    ),
    "runs": Command(("runs", "out", "--json"), _run, begins_with=("out",), readers=READ_RUN),
    "predict": Command(
        ("predict", "done/run", "rows.npz", "-o", "out/p.csv", "--overwrite"),
        _bytes("out/p.csv"),
        begins_with=("done",),
        writes="out/p.csv",
    ),
    "calibrate": Command(
        ("calibrate", "out/run"),
        _bytes("out/run/checkpoints/best.safetensors"),
        begins_with=("out",),
        readers=READ_RUN,
        loads=(LAST,),
    ),
    "export_onnx": Command(
        ("export", "done/run", "--to", "onnx", "-o", "out/m.onnx", "--overwrite"),
        _bytes("out/m.onnx"),
        begins_with=("done",),
        writes="out/m.onnx",
    ),
    "export_numpy": Command(
        ("export", "done/run", "--to", "numpy", "-o", "out/numpy", "--overwrite"),
        _bytes("out/numpy/predict.py"),
        begins_with=("done",),
    ),
    "report": Command(
        ("report", "done/run", "-o", "out/page.html", "--overwrite"),
        _page,
        begins_with=("done",),
        writes="out/page.html",
    ),
    "data_cache": Command(
        ("fit", "disk.yaml", "-o", "elsewhere", "--run-name", "run", "--quiet"),
        lambda folder: whole_content(folder / "elsewhere/run"),
        watch="cache",
        again=lambda folder: ["fit", "disk.yaml", "-o", "elsewhere", "--run-name", "run", "--overwrite", "--quiet"],
    ),
    "sweep": Command(
        ("sweep", "sweep.yaml", *IN_SEARCH, *SERIAL),
        _table_of_trials,
        readers=(("runs", "out"),),
        again=_search("sweep", "sweep.yaml"),
        tells=("out/search/summary.json", "out/search/trials.jsonl"),
    ),
    "cv": Command(
        ("cv", *CV, *IN_SEARCH, *SERIAL),
        _summaries,
        readers=(("runs", "out"),),
        again=_search("cv", *CV),
    ),
    "ensemble": Command(
        ("ensemble", *ENSEMBLE, *IN_SEARCH, *SERIAL),
        _summaries,
        readers=(("runs", "out"),),
        again=_search("ensemble", *ENSEMBLE),
    ),
}  # fmt: skip
