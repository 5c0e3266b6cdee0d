"""The program `nettrain`: its commands, and the one place where failures become exit codes."""

import gc
import importlib
import inspect
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from nettrain.cli import failure
from nettrain.cli.log_messages import told_once
from nettrain.cli.output import open_standard_streams
from nettrain.errors import ConfigError
from nettrain.version import __version__

# The panel of `nettrain --help`, the command, and the example in its own help.
COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("Start", "init", "nettrain init wine.csv --target quality"),
    ("Start", "check", "nettrain check digits.yaml"),
    ("Start", "doctor", "nettrain doctor digits.yaml --seconds 10"),
    ("Train", "fit", "nettrain fit digits.yaml --set optimizer.lr=0.01 --seed 1"),
    ("Train", "sweep", "nettrain sweep search.yaml --trials 20 --workers 2"),
    ("Train", "cv", "nettrain cv digits.yaml --folds 10"),
    ("Train", "ensemble", "nettrain ensemble digits.yaml --set ensemble.members=5"),
    ("Use", "eval", "nettrain eval runs/digits --data new.csv"),
    ("Use", "predict", "nettrain predict runs/wine new.csv --keep id -o predictions.csv"),
    ("Use", "calibrate", "nettrain calibrate runs/digits"),
    ("Use", "export", "nettrain export runs/digits --to onnx -o digits.onnx"),
    ("Look", "runs", "nettrain runs runs --where model.type=cnn --sort metric"),
    ("Look", "cache", "nettrain cache --unused 30"),
    ("Look", "report", "nettrain report runs/digits -o digits.html"),
    ("Look", "plot", "nettrain plot runs/digits confusion -o confusion.svg"),
    ("Look", "graph", "nettrain graph xor.yaml --row 0 -o graph.svg"),
    ("Look", "trace", "nettrain trace xor.yaml --row 0 --step"),
    ("Look", "compare", "nettrain compare runs/digits runs/digits-2"),
    ("Look", "importance", "nettrain importance runs/wine --dependence alcohol"),
    ("Trust", "gradcheck", "nettrain gradcheck digits.yaml --rows 16"),
    ("Trust", "verify", "nettrain verify runs/digits"),
    ("Trust", "diff", "nettrain diff runs/digits runs/digits-2 --replay"),
    ("Trust", "autopsy", "nettrain autopsy runs/diverged -o reproduction"),
    ("Learn", "explain", "nettrain explain adam"),
    ("Learn", "schema", "nettrain schema -o nettrain.schema.json"),
)
MODULES = {"eval": "evaluate"}  # of commands that are not named as their module and its function


class Commands(TyperGroup):
    """The commands, run so that a failure is reported.

    Only the module of the named one is imported; the help, and suggestions for a name that does not
    exist, take all of them.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the help."""
        return [name for _, name, _ in COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One command, made when it is first asked for."""
        if cmd_name not in self.commands:
            named = [row for row in COMMANDS if row[1] == cmd_name]
            for panel, name, example in named or COMMANDS:
                self.add_command(_command(panel, name, example), name)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: Any) -> Any:
        """Run one command."""
        with failure.reported(), told_once():
            return super().invoke(ctx)


class Command(TyperCommand):
    """One command; `--set KEY VALUE` is explained, where the parser would see a stray word.

    So is --distributed, which `fit` alone has.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words after the command's name."""
        if "--distributed" in args and not any("--distributed" in one.opts for one in self.params):
            raise ConfigError(
                f"{self.name}: --distributed divides the batches of one training (nettrain fit); "
                "the runs of a search are divided among machines by --executor dask"
            )
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


def _help(function: Any) -> str:
    """The docstring, a line for each paragraph: the terminal breaks them, at any width."""
    paragraphs = inspect.cleandoc(function.__doc__).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _command(panel: str, name: str, example: str) -> Any:
    """A command, from the function that has the name of its module."""
    module = MODULES.get(name, name)
    function = getattr(importlib.import_module(f"nettrain.cli.{module}"), module)
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(
        name,
        cls=Command,
        help=_help(function),
        rich_help_panel=panel,
        epilog=f"Example: {example}",
    )(function)
    return typer.main.get_command(alone)


def run() -> None:
    """The entry point."""
    open_standard_streams()
    # By default (700 objects) it walks all imported modules again and again: 5 % of a small run.
    gc.set_threshold(50_000, 20, 50)
    sys.exit(app())
