"""Arguments and options that several commands share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from nettrain.cli.completion import complete_config, complete_run
from nettrain.cli.packaged import find_config
from nettrain.errors import ConfigError

ConfigPath = Annotated[
    Path,
    typer.Argument(
        help="A YAML file, or the name of a packaged example.",
        show_default=False,
        autocompletion=complete_config,
        callback=find_config,
    ),
]
OptionalConfigPath = Annotated[
    Path | None,
    typer.Argument(
        help="A YAML file, or the name of a packaged example.",
        show_default=False,
        autocompletion=complete_config,
        callback=find_config,
    ),
]
ConfigOrData = Annotated[
    Path | None,
    typer.Argument(
        help="A YAML file, the name of a packaged example, or data: a table, arrays, a folder of "
        "images.",
        show_default=False,
        autocompletion=complete_config,
        callback=find_config,
    ),
]
PluginConfig = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A YAML file whose plugins are to be known.",
        show_default=False,
        autocompletion=complete_config,
    ),
]
CheckpointPath = Annotated[
    Path,
    typer.Argument(
        help="A run directory (its best checkpoint), or a checkpoint.",
        show_default=False,
        autocompletion=complete_run,
    ),
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
        help="Threads to use; results are identical for any number. Default: all cores.",
        show_default=False,
    ),
]
Kernels = Annotated[
    str | None,
    typer.Option(
        "--kernels",
        metavar="auto|numpy|numba",
        help="Same as --set training.kernels=NAME. numba: compiled loops, other last bits.",
        show_default=False,
    ),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", metavar="N", help="Same as --set seed=N.", show_default=False),
]
OutputDirectory = Annotated[
    Path, typer.Option("--output-directory", "-o", metavar="DIR", help="Directory for runs.")
]
RunName = Annotated[
    str | None,
    typer.Option(
        "--run-name",
        metavar="NAME",
        help="Name of the run directory. Default: the config's name.",
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        help="Runs at the same time, one thread each. Default: all cores.",
        show_default=False,
    ),
]
ExecutorName = Annotated[
    str,
    typer.Option(
        "--executor",
        help="Where runs execute: local (processes), serial, dask, dask:HOST:PORT, or dask:slurm "
        "(pbs, sge, lsf ...), whose jobs are described in dask-jobqueue's own configuration.",
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print errors only (and what --json asks for).")
]
Json = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON object on stdout.")
]


def refuse_beside_resume(command: str, given: Mapping[str, bool], why: str) -> None:
    """Refuse options that cannot be used together with --resume.

    Raises:
        ConfigError: names those that were given (True).
    """
    if any(given.values()):
        named = ", ".join(name for name, is_given in given.items() if is_given)
        raise ConfigError(f"{command}: {named} and --resume cannot be used together: {why}")
