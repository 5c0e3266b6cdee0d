"""`nettrain export`: a trained model for other programs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nettrain.cli.completion import complete_run
from nettrain.cli.options import AllowPlugins, Json
from nettrain.cli.output import print_json, say
from nettrain.cli.output_file import Overwrite
from nettrain.errors import ConfigError, nearest

if TYPE_CHECKING:
    from nettrain.export.target import Exported, Request


@dataclass(frozen=True)
class Target:
    """One target.

    Attributes:
        writes: What it writes, for the help and for messages.
        export: Writes it. Heavy packages are imported inside.
        options: The options of the command that are its own.
    """

    writes: str
    export: "Callable[[Request], Exported]"
    options: tuple[str, ...] = ()


TARGETS: dict[str, Target] = {}


def export(
    subject: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run directory, a checkpoint, or an ensemble.",
            show_default=False,
            autocompletion=complete_run,
        ),
    ],
    to: Annotated[str, typer.Option("--to", metavar="|".join(TARGETS), help="What to write.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write. Default: the run's name in the current directory.",
            show_default=False,
        ),
    ] = None,
    overwrite: Overwrite = False,
    opset: Annotated[
        int | None,
        typer.Option(
            "--opset", metavar="N", help="onnx: opset version. Default: 18.", show_default=False
        ),
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option(
            "--inputs",
            metavar="columns|matrix",
            help="onnx: an input per column, or one matrix. Default: columns.",
            show_default=False,
        ),
    ] = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Write the trained model of RUN for other programs."""
    if to not in TARGETS:
        raise ConfigError(
            f"--to {to}: no target of that name{nearest(to, list(TARGETS))} "
            f"(there are: {', '.join(TARGETS)})"
        )
    target, given = TARGETS[to], {"opset": opset, "inputs": inputs}
    options = {name: value for name, value in given.items() if value is not None}
    _refuse_foreign(to, target, options)
    from nettrain.export.target import Request

    exported = target.export(
        Request(
            subject=subject,
            output=output,
            overwrite=overwrite,
            allow_plugins=allow_plugins,
            options=options,
        )
    )
    if json:
        print_json(exported.summary)
    for line in exported.lines:
        say(line)


def _refuse_foreign(to: str, target: Target, options: dict[str, Any]) -> None:
    """Raises ConfigError for an option that is of another target."""
    for name in options:
        if name not in target.options:
            owners = " and ".join(other for other, t in TARGETS.items() if name in t.options)
            raise ConfigError(f"--{name} is an option of --to {owners}, not of --to {to}")
