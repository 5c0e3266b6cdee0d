"""The program `nettrain`: its commands, and the one place where failures become exit codes."""

import gc
import inspect
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from nettrain.cli import (
    autopsy,
    calibrate,
    check,
    compare,
    cv,
    diff,
    doctor,
    ensemble,
    evaluate,
    explain,
    export,
    failure,
    fit,
    gradcheck,
    graph,
    importance,
    init,
    plot,
    predict,
    report,
    runs,
    schema,
    sweep,
    trace,
    verify,
)
from nettrain.cli.log_messages import told_once
from nettrain.cli.output import open_standard_streams
from nettrain.errors import ConfigError
from nettrain.version import __version__


class Commands(TyperGroup):
    """The commands, run so that a failure is reported."""

    def invoke(self, ctx: Any) -> Any:
        """Run one command."""
        with failure.reported(), told_once():
            return super().invoke(ctx)


class Command(TyperCommand):
    """One command; `--set KEY VALUE` is explained, where the parser would see a stray word."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words after the command's name."""
        for option, key, value in zip(args, args[1:], args[2:], strict=False):
            is_pair = option == "--set" and "=" not in key and not value.startswith("-")
            if is_pair and Path(value).suffix != ".yaml" and not Path(value).exists():
                remedy = f"write --set {key}={value}, with '=' and no spaces"
                raise ConfigError(f"--set {key} {value}: {remedy}")
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="nettrain",
    cls=Commands,
    help="Train neural networks from a YAML file, on a CPU.",
    epilog="Example: nettrain fit digits  (a packaged example; it takes half a second)",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nettrain {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Options before the command."""


# The panel of `nettrain --help`, the command, its function, and the example in its own help.
COMMANDS: tuple[tuple[str, str, Any, str], ...] = (
    ("Start", "init", init.init, "nettrain init wine.csv --target quality"),
    ("Start", "check", check.check, "nettrain check digits.yaml"),
    ("Start", "doctor", doctor.doctor, "nettrain doctor digits.yaml --seconds 10"),
    ("Train", "fit", fit.fit, "nettrain fit digits.yaml --set optimizer.lr=0.01 --seed 1"),
    ("Train", "sweep", sweep.sweep, "nettrain sweep search.yaml --trials 20 --workers 2"),
    ("Train", "cv", cv.cv, "nettrain cv digits.yaml --folds 10"),
    (
        "Train",
        "ensemble",
        ensemble.ensemble,
        "nettrain ensemble digits.yaml --set ensemble.members=5",
    ),
    ("Use", "eval", evaluate.evaluate, "nettrain eval runs/digits --data new.csv"),
    (
        "Use",
        "predict",
        predict.predict,
        "nettrain predict runs/wine new.csv --keep id -o predictions.csv",
    ),
    ("Use", "calibrate", calibrate.calibrate, "nettrain calibrate runs/digits"),
    ("Use", "export", export.export, "nettrain export runs/digits --to onnx -o digits.onnx"),
    ("Look", "runs", runs.runs, "nettrain runs runs --where model.type=cnn --sort metric"),
    ("Look", "report", report.report, "nettrain report runs/digits -o digits.html"),
    ("Look", "plot", plot.plot, "nettrain plot runs/digits confusion -o confusion.svg"),
    ("Look", "graph", graph.graph, "nettrain graph xor.yaml --row 0 -o graph.svg"),
    ("Look", "trace", trace.trace, "nettrain trace xor.yaml --row 0 --step"),
    ("Look", "compare", compare.compare, "nettrain compare runs/digits runs/digits-2"),
    (
        "Look",
        "importance",
        importance.importance,
        "nettrain importance runs/wine --dependence alcohol",
    ),
    ("Trust", "gradcheck", gradcheck.gradcheck, "nettrain gradcheck digits.yaml --rows 16"),
    ("Trust", "verify", verify.verify, "nettrain verify runs/digits"),
    ("Trust", "diff", diff.diff, "nettrain diff runs/digits runs/digits-2 --replay"),
    ("Trust", "autopsy", autopsy.autopsy, "nettrain autopsy runs/diverged -o reproduction"),
    ("Learn", "explain", explain.explain, "nettrain explain adam"),
    ("Learn", "schema", schema.schema, "nettrain schema -o nettrain.schema.json"),
)


def _help(function: Any) -> str:
    """The docstring, a line for each paragraph: the terminal breaks them, at any width."""
    paragraphs = inspect.cleandoc(function.__doc__).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


for _panel, _name, _function, _example in COMMANDS:
    app.command(
        _name,
        cls=Command,
        help=_help(_function),
        rich_help_panel=_panel,
        epilog=f"Example: {_example}",
    )(_function)


def run() -> None:
    """The entry point."""
    open_standard_streams()
    # By default (700 objects) it walks all imported modules again and again: 5 % of a small run.
    gc.set_threshold(50_000, 20, 50)
    sys.exit(app())
