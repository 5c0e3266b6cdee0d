"""`nettrain init`: a configuration for a data file, with the reason for every choice."""

import os
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.completion import complete_example
from nettrain.cli.data_argument import stem, wishes
from nettrain.cli.options import Json
from nettrain.cli.output import console, print_json, say
from nettrain.cli.output_file import Overwrite, check_output, write_output
from nettrain.cli.packaged import example_files, examples
from nettrain.errors import ConfigError, nearest
from nettrain.files import read_bytes

if TYPE_CHECKING:
    from nettrain.inspection.data_profile.profile import DataProfile

_CONFIGS = (".yaml", ".yml")
_SCHEMA = "nettrain.schema.json"


def init(
    data: Annotated[
        Path | None,
        typer.Argument(
            help="A table (CSV, TSV, JSON lines, Parquet, Arrow, Excel), arrays (npz, npy, "
            "IDX), or a folder of images.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            metavar="NAME",
            help="Column or array to predict. Default: guessed, and said.",
            show_default=False,
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            metavar="TASK",
            help="classification or regression. Default: what the target holds.",
            show_default=False,
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="NAME", help="Column to leave out; a,b or repeatable."),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            metavar="NAME",
            help="Column whose groups stay in one part (the patient).",
            show_default=False,
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            "--time",
            metavar="NAME",
            help="Column of dates or numbers: the latest rows are kept for validation and test.",
            show_default=False,
        ),
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            "--preset", metavar="PRESET", help="small, default or strong: units and epochs."
        ),
    ] = "default",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The .yaml file to write. Default: the data's name.",
            show_default=False,
        ),
    ] = None,
    overwrite: Overwrite = False,
    columns: Annotated[
        bool, typer.Option("--columns", help="Show every column as it is understood.")
    ] = False,
    example: Annotated[
        str | None,
        typer.Option(
            "--example",
            metavar="NAME",
            help="Copy a packaged example (digits, iris ...) instead.",
            show_default=False,
            autocompletion=complete_example,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Look at DATA and write a commented configuration that trains at once."""
    if example is not None:
        given = {
            "DATA": data, "--target": target, "--task": task, "--ignore": ignore,
            "--group": group, "--time": time, "--columns": columns, "--json": json,
        }  # fmt: skip
        _copy_example(example, output, overwrite, [key for key, value in given.items() if value])
        return
    if data is None:
        raise ConfigError("init: name a DATA file or folder, or copy an example: --example digits")
    path = output or Path(f"{stem(data)}.yaml")
    _check(path, overwrite)
    from nettrain.config.load import load
    from nettrain.inspection.data_profile.profile import profile_data
    from nettrain.inspection.proposal.commented_yaml import commented_yaml
    from nettrain.inspection.proposal.propose import propose_config

    proposal = propose_config(data, wishes(target, task, ignore, group, time, preset))
    beside = path.absolute().parent / _SCHEMA
    first = [f"yaml-language-server: $schema={_SCHEMA}"] if beside.is_file() else []
    write_output(path, commented_yaml(proposal, path.parent, first).encode())
    profile = profile_data(load(path))
    if json:
        said = {"config": str(path), "decisions": proposal.decisions, "notes": proposal.notes}
        print_json({"data": proposal.title, **said, **asdict(profile)})
        return
    for line in (proposal.title, *proposal.decisions, *proposal.notes):
        say(line)
    _tell_suspicions(profile, columns=columns)
    say(f"wrote {path}")
    say("next:", command=f"nettrain fit {shlex.quote(str(path))}")


def _tell_suspicions(profile: "DataProfile", *, columns: bool) -> None:
    """Errors and warnings about the data, a line each, and on request its columns."""
    from nettrain.cli.render_columns import brief_lines, column_table

    if columns:
        console().print(column_table(profile))
    for line in brief_lines(profile):
        say(line)


def _check(path: Path, overwrite: bool) -> None:
    check_output(path, _CONFIGS, overwrite=overwrite)
    if not os.access(path.absolute().parent, os.W_OK):
        raise ConfigError(
            f"-o {path}: no permission to write in {str(path.absolute().parent)!r}; "
            "choose another folder"
        )


def _copy_example(name: str, output: Path | None, overwrite: bool, given: list[str]) -> None:
    if given:
        raise ConfigError(f"init: {', '.join(given)} and --example cannot be used together")
    known = examples()
    if name not in known:
        listed = ", ".join(sorted(known)[:12])
        raise ConfigError(
            f"--example: no example is called {name!r}{nearest(name, known)} "
            f"(there are: {listed} and {len(known) - 12} more)"
        )
    path = output or Path(known[name].name)
    files = example_files(known[name], path)
    for file in files:
        file.parent.mkdir(exist_ok=True)
        if file.suffix in _CONFIGS:
            _check(file, overwrite)
        elif file.exists() and not overwrite and read_bytes(file) != files[file]:
            raise ConfigError(f"{file}: exists already; move it away, or add --overwrite")
    for file, content in files.items():
        write_output(file, content)
        say(f"wrote {file}")
    say("next:", command=f"nettrain {_command(known[name])} {shlex.quote(str(path))}")


def _command(example: Path) -> str:
    folders = {"sweeps": "sweep", "ensembles": "ensemble"}
    return folders.get(example.parent.name, "fit")
