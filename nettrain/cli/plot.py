"""`nettrain plot`: one figure of a run, or the list of those that it has."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.completion import complete_run
from nettrain.cli.options import AllowPlugins
from nettrain.cli.output import console, say
from nettrain.cli.output_file import Overwrite, check_output, write_output
from nettrain.errors import ConfigError

if TYPE_CHECKING:
    from nettrain.report.run_view import RunView

ENDINGS = (".png", ".svg", ".pdf")


def plot(
    run: Annotated[
        Path,
        typer.Argument(
            help="A run or ensemble directory.", show_default=False, autocompletion=complete_run
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[KIND]",
            help="Which figure, such as curves or confusion. Default: list those of this run.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write: .png, .svg or .pdf. Default: RUN-KIND.png.",
            show_default=False,
        ),
    ] = None,
    overwrite: Overwrite = False,
    part: Annotated[
        str | None,
        typer.Option(
            "--part",
            metavar="NAME",
            help="test, validation or train. Default: the last that exists.",
            show_default=False,
        ),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            "--features",
            metavar="A,B",
            help="Columns: two for boundary, any for dependence.",
            show_default=False,
        ),
    ] = None,
    row: Annotated[
        int, typer.Option("--row", min=0, metavar="I", help="Row of the part, for feature_maps.")
    ] = 0,
    find_lr: Annotated[
        Path | None,
        typer.Option(
            "--find-lr",
            metavar="FILE",
            help="The CSV that fit --find-lr wrote, for lr. Default: the one beside RUN.",
            show_default=False,
        ),
    ] = None,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Draw one figure of RUN; without KIND, list the figures that it has."""
    from nettrain.report import check_installed

    check_installed()
    if kind is not None:
        from nettrain.report.plot import plot_of

        plot_of(kind)  # a wrong name is said before anything is loaded
        output = output or Path(f"{run.absolute().name}-{kind}.png")
        check_output(output, ENDINGS, overwrite=overwrite)
    elif output is not None:
        raise ConfigError(
            f"-o {output}: name the kind of figure too (nettrain plot {run} lists them)"
        )
    from nettrain.report.run_view import RunView, open_view

    view: RunView = open_view(
        run,
        allow_plugins=allow_plugins,
        chosen_part=part,
        row=row,
        features=tuple(name.strip() for name in features.split(",")) if features else (),
        find_lr=find_lr,
    )
    if kind is None or output is None:
        _list(view)
    else:
        _draw(view, kind, output)


def _draw(view: "RunView", kind: str, output: Path) -> None:
    from nettrain.report.plot import plot_of
    from nettrain.report.style import figure_bytes, styled

    chosen = plot_of(kind)
    if reason := chosen.lacks(view):
        raise ConfigError(f"{view.record.path}: has no figure {kind!r}: {reason}")
    with styled():
        figure = chosen.draw(view)
    write_output(output, figure_bytes(figure, output.suffix.lower().lstrip(".") or "png"))
    say(f"{output}: {chosen.reading}")


def _list(view: "RunView") -> None:
    from rich.table import Table

    from nettrain.report.plot import plot_names, plot_of

    reasons = {name: plot_of(name).lacks(view) for name in plot_names()}
    shown = Table(box=None, pad_edge=False, show_header=False)
    for name, reason in sorted(reasons.items(), key=lambda item: item[1] is not None):
        what = plot_of(name).title if reason is None else f"not here: {reason}"
        shown.add_row(name, what, style="dim" if reason else "")
    console().print(shown)
    drawable = [name for name, reason in reasons.items() if reason is None]
    if drawable:
        say(f"draw one: nettrain plot {view.record.path} {drawable[0]}")
