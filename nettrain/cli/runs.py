"""`nettrain runs`: the runs of a folder, sorted and filtered; and the removal of runs by name."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.options import Json
from nettrain.cli.output import console, print_json, say
from nettrain.errors import ConfigError, RunError, nearest

EXACT = 120  # seconds below which tenths are shown

if TYPE_CHECKING:
    from nettrain.cli.table import NumberTable
    from nettrain.inspection.runs import RunEntry


def runs(
    folder: Annotated[
        Path, typer.Argument(help="A directory for runs, or a sweep, cv or ensemble.")
    ] = Path("runs"),
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="KEY=VALUE",
            help="Only runs with this value: --where model.type=cnn, --where state=finished. "
            "Repeatable.",
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort",
            metavar="KEY",
            help="name, metric (best first), seconds, size, ended, or a key such as optimizer.lr.",
            show_default=False,
        ),
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="Reverse the order.")] = False,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="The metric to show. Default: accuracy, label_accuracy or r2.",
            show_default=False,
        ),
    ] = None,
    delete: Annotated[
        list[str] | None,
        typer.Option(
            "--delete",
            metavar="NAME",
            help="Remove this run, sweep, cv or ensemble from FOLDER, unasked. Repeatable.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the runs in FOLDER: state, model, data, main metric, time, size."""
    from nettrain.inspection.runs import list_runs

    if delete:
        if where or sort or reverse or metric:
            raise ConfigError(
                "runs: --delete takes names alone: list first (--where, --sort), then name runs"
            )
        removed = [str(path) for path in _delete(folder, delete)]
        if json:
            print_json({"deleted": removed})
        else:
            say(f"deleted {', '.join(removed)}")
        return
    entries = list_runs(folder, where=where or (), sort=sort, reverse=reverse, metric=metric)
    if json:
        print_json({"folder": str(folder), "runs": [_as_json(entry) for entry in entries]})
    elif entries:
        console().print(_table(entries))
    else:
        say(f"no runs in {folder}" + (" with these values" if where else ""))


def _delete(folder: Path, names: list[str]) -> list[Path]:
    """Removes runs, each by its name in the folder; nothing where one of the names is wrong."""
    from nettrain.inspection.recorded_run import RecordedRun
    from nettrain.inspection.runs import run_names
    from nettrain.search.layouts import LAYOUTS
    from nettrain.training.artifacts.directory import remove_directory

    known = run_names(folder)
    records = []
    for name in dict.fromkeys(names):
        if name not in known:
            raise RunError(f"--delete {name}: {folder} has no such run{nearest(name, known)}")
        records.append(RecordedRun.open(folder / name))
    for record in records:
        remove_directory(record.path, LAYOUTS[record.kind])
    return [record.path for record in records]


def _as_json(entry: "RunEntry") -> dict[str, object]:
    ended = datetime.fromtimestamp(entry.ended).astimezone().isoformat(timespec="seconds")
    return asdict(entry) | {"path": str(entry.path), "ended": ended}


def _table(entries: "list[RunEntry]") -> "NumberTable":
    from nettrain.cli.render import number
    from nettrain.cli.render_model import size
    from nettrain.cli.table import NumberTable

    columns = ("kind", "state", "model", "data", "metric", "validation", "test", "time", "size")
    table = NumberTable(
        "run", *columns, optional=("size", "time", "data", "kind", "model", "metric", "validation")
    )
    for entry in entries:
        table.add_row(
            entry.name,
            entry.kind,
            entry.state,
            entry.model or "-",
            entry.data or "-",
            entry.metric or "-",
            number(entry.validation),
            number(entry.test),
            "-" if entry.seconds is None else _time(entry.seconds),
            size(entry.size),
        )
    return table


def _time(seconds: float) -> str:
    from nettrain.cli.progress import clock

    return f"{seconds:.1f} s" if seconds < EXACT else clock(seconds)
