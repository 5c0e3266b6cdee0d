"""The program `nettrain`: its commands, and the one place where failures become exit codes."""

import gc
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from nettrain.cli import (
    check,
    cv,
    ensemble,
    evaluate,
    explain,
    failure,
    fit,
    gradcheck,
    predict,
    schema,
    sweep,
)
from nettrain.version import __version__


class Commands(TyperGroup):
    """The commands, run so that a failure is told."""

    def invoke(self, ctx: Any) -> Any:
        """Run one command."""
        with failure.told():
            return super().invoke(ctx)


app = typer.Typer(
    name="nettrain",
    cls=Commands,
    help="Train neural networks from a YAML file, on a CPU.",
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


app.command("fit")(fit.fit)
app.command("sweep")(sweep.sweep)
app.command("eval")(evaluate.evaluate)
app.command("predict")(predict.predict)
app.command("cv")(cv.cv)
app.command("ensemble")(ensemble.ensemble)
app.command("check")(check.check)
app.command("gradcheck")(gradcheck.gradcheck)
app.command("explain")(explain.explain)
app.command("schema")(schema.schema)


def run() -> None:
    """The entry point."""
    gc.set_threshold(
        50_000, 20, 50
    )  # from 700 objects on it would walk what is imported again and again: 5 % of a small run
    sys.exit(app())
