"""Arguments and options that several commands share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from nettrain.cli.completion import complete_config
from nettrain.errors import ConfigError

ConfigPath = Annotated[
    Path, typer.Argument(help="The YAML file.", show_default=False, autocompletion=complete_config)
]
PluginConfig = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A YAML file, for the components of its plugins.",
        show_default=False,
        autocompletion=complete_config,
    ),
]
CheckpointPath = Annotated[
    Path,
    typer.Argument(help="A checkpoint, or a run directory for its best one.", show_default=False),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change one value: --set optimizer.lr=0.01. Repeatable."
    ),
]
AllowPlugins = Annotated[
    bool,
    typer.Option(
        "--allow-plugins", help="Import the Python files that the config names under plugins."
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        help="Threads to use; they change no bit. Default: all cores.",
        show_default=False,
    ),
]
Kernels = Annotated[
    str | None,
    typer.Option(
        "--kernels",
        metavar="auto|numpy|numba",
        help="The same as --set training.kernels=NAME: compiled loops (numba), or none; the bits differ.",
        show_default=False,
    ),
]
Seed = Annotated[
    int | None, typer.Option("--seed", help="The same as --set seed=N.", show_default=False)
]
OutputDirectory = Annotated[
    Path, typer.Option("--output-directory", "-o", help="The folder of all runs.")
]
RunName = Annotated[
    str | None,
    typer.Option(
        "--run-name",
        help="Name of the directory; default: after the config's name.",
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        help="Runs side by side, a thread each; they change no bit. Default: all cores.",
        show_default=False,
    ),
]
ExecutorName = Annotated[
    str,
    typer.Option(
        "--executor", help="Where runs are made: local (processes), serial, dask, dask:HOST:PORT."
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print errors only (and what --json asks for).")
]
Json = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON object on stdout.")
]


def refuse_beside_resume(command: str, given: Mapping[str, bool], why: str) -> None:
    """Raises ConfigError naming the options that were given (True) beside --resume, which takes none of them."""
    if any(given.values()):
        named = ", ".join(name for name, is_given in given.items() if is_given)
        raise ConfigError(f"{command}: {named} and --resume exclude each other: {why}")
