"""`nettrain export`: a trained model for other programs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nettrain.cli.completion import complete_run
from nettrain.cli.conformal import Level
from nettrain.cli.options import AllowPlugins, Json
from nettrain.cli.output import print_json, say
from nettrain.cli.output_file import Overwrite, check_output, write_output
from nettrain.errors import ConfigError, nearest

if TYPE_CHECKING:
    from nettrain.export.target import Exported, Request


@dataclass(frozen=True)
class Target:
    """One target.

    Attributes:
        writes: What it writes, for the help and for messages.
        export: Writes it. Heavy packages are imported inside.
        ending: Of the one file that the command writes; empty: the target writes by itself.
        options: The options of the command that are its own.
    """

    writes: str
    export: "Callable[[Request], Exported]"
    ending: str = ""
    options: tuple[str, ...] = ()


def _onnx(request: "Request") -> "Exported":
    from nettrain.export.onnx.command import export

    return export(request)


def _numpy(request: "Request") -> "Exported":
    from nettrain.export.numpy.command import export

    return export(request)


def _tensorboard(request: "Request") -> "Exported":
    from nettrain.export.tensorboard import export

    return export(request)


def _mlflow(request: "Request") -> "Exported":
    from nettrain.export.mlflow import export
    from nettrain.report import check_installed

    def report(path: Path) -> dict[str, bytes]:
        try:
            check_installed()
        except ConfigError:
            return {}  # the run is sent without its report
        from nettrain.report.page import render
        from nettrain.report.pages import page_of

        return {"report.html": render(page_of([path], allow_plugins=request.allow_plugins))}

    return export(request, report)


TARGETS: dict[str, Target] = {
    "onnx": Target("one ONNX file", _onnx, ".onnx", ("opset", "inputs", "level")),
    "numpy": Target("a folder with predict.py and weights.npz", _numpy, options=("level",)),
    "tensorboard": Target("a folder of event files", _tensorboard),
    "mlflow": Target("a run on an MLflow server", _mlflow, options=("uri", "experiment")),
}


def export(
    subject: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run directory, a checkpoint, an ensemble, or a sweep (tensorboard, mlflow).",
            show_default=False,
            autocompletion=complete_run,
        ),
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="|".join(TARGETS), help="What to write.")
    ] = "onnx",
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
    level: Level = None,
    uri: Annotated[
        str | None,
        typer.Option(
            "--uri",
            metavar="URL",
            help="mlflow: address of the server. Default: $MLFLOW_TRACKING_URI.",
            show_default=False,
        ),
    ] = None,
    experiment: Annotated[
        str | None,
        typer.Option(
            "--experiment",
            metavar="NAME",
            help="mlflow: experiment on the server. Default: nettrain.",
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
    target, given = (
        TARGETS[to],
        {"opset": opset, "inputs": inputs, "level": level, "uri": uri, "experiment": experiment},
    )
    options = {name: value for name, value in given.items() if value is not None}
    _refuse_foreign(to, target, options)
    if target.ending:
        output = output or Path(f"{_name_of(subject)}{target.ending}")
        check_output(output, [target.ending], overwrite=overwrite, inputs=[subject])
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
    if output is not None and exported.content is not None:
        write_output(output, exported.content)
        exported.summary["file"] = str(output)
    if json:
        print_json(exported.summary)
    for line in exported.lines:
        say(line if output is None else f"{output}: {line}")


def _name_of(subject: Path) -> str:
    """`digits` for the run directory runs/digits, and for a checkpoint in it."""
    folder = subject.resolve()
    if folder.suffix == ".safetensors":
        folder = folder.parent.parent if folder.parent.name == "checkpoints" else folder
    return folder.stem if folder.suffix == ".safetensors" else folder.name


def _refuse_foreign(to: str, target: Target, options: dict[str, Any]) -> None:
    """Raises ConfigError for an option that is of another target."""
    for name in options:
        if name not in target.options:
            owners = " and ".join(other for other, t in TARGETS.items() if name in t.options)
            raise ConfigError(f"--{name} is an option of --to {owners}, not of --to {to}")
