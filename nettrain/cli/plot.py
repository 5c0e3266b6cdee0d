"""`nettrain plot`: one figure of a run, or the list of those that it has."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.completion import complete_run
from nettrain.cli.options import AllowPlugins
from nettrain.cli.output import console, say
from nettrain.cli.output_file import Overwrite, check_output, write_output
from nettrain.cli.terminal_plot import draw_in_terminal
from nettrain.errors import ConfigError

if TYPE_CHECKING:
    from nettrain.report.plot import MovingPlot
    from nettrain.report.run_view import RunView

ENDINGS = (".png", ".svg", ".pdf")
MOVING = (".gif", ".html")


def plot(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN... [KIND]",
            help="A run or ensemble directory, then which figure, such as curves or confusion; "
            "without it, the figures of this run are listed. For descent, several runs or a sweep.",
            show_default=False,
            autocompletion=complete_run,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write: .png, .svg or .pdf; moving pictures .gif or .html. "
            "Default: RUN-KIND.png.",
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
    epochs: Annotated[
        bool,
        typer.Option(
            "--epochs",
            help="For boundary and descent: a moving picture, one frame per snapshot "
            "(training.snapshots), as .gif or .html. Default: RUN-KIND.gif.",
        ),
    ] = False,
    parameters: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--parameters",
            metavar="A B",
            help="For descent: the two parameters, such as 'dense_1.w[0, 0]' 'dense_1.b[0]'. "
            "Default: those of a model that has two, else --pca.",
            show_default=False,
        ),
    ] = None,
    pca: Annotated[
        bool,
        typer.Option("--pca", help="For descent: two principal directions of the path."),
    ] = False,
    find_lr: Annotated[
        Path | None,
        typer.Option(
            "--find-lr",
            metavar="FILE",
            help="The CSV that fit --find-lr wrote, for lr. Default: the one beside RUN.",
            show_default=False,
        ),
    ] = None,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Draw curves as text in the terminal, not a file.")
    ] = False,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Draw one figure of RUN; without KIND, list the figures that it has."""
    if terminal:
        draw_in_terminal(words, output, allow_plugins=allow_plugins)
        return
    from nettrain.report import check_installed

    check_installed()
    runs, kind = _runs_and_kind(words)
    if pca and parameters:
        raise ConfigError("--pca and --parameters cannot be used together: leave one of them out")
    if kind is not None:
        output = output or Path(f"{runs[0].absolute().name}-{kind}{'.gif' if epochs else '.png'}")
        _check_file(kind, output, epochs=epochs, overwrite=overwrite)
    elif output is not None or epochs:
        given = "--epochs" if output is None else f"-o {output}"
        raise ConfigError(
            f"{given}: name the kind of figure too (nettrain plot {runs[0]} lists them)"
        )
    from nettrain.report.run_view import open_views

    view, *others = open_views(
        runs,
        several=kind is not None and _shows_several(kind),
        allow_plugins=allow_plugins,
        chosen_part=part,
        row=row,
        features=tuple(name.strip() for name in features.split(",")) if features else (),
        find_lr=find_lr,
        parameters=parameters,
        principal=pca,
    )
    view.others = tuple(others)
    if kind is None or output is None:
        _list(view)
    else:
        _draw(view, kind, output, runs)


def _runs_and_kind(words: Sequence[str]) -> tuple[list[Path], str | None]:
    """The last of several words is the kind. A wrong one is said before anything is loaded."""
    from nettrain.report.plot import plot_names, plot_of

    if len(words) == 1:
        return [Path(words[0])], None
    *runs, kind = words
    if kind not in plot_names() and Path(kind).is_dir():
        raise ConfigError(
            f"plot: after the runs, name the kind of figure: {' '.join(words)} descent"
        )
    plot_of(kind)
    if len(runs) > 1 and not _shows_several(kind):
        several = ", ".join(name for name in plot_names() if _shows_several(name))
        raise ConfigError(f"plot: {kind} shows one run; {several} shows several")
    return [Path(run) for run in runs], kind


def _shows_several(kind: str) -> bool:
    from nettrain.report.plot import MovingPlot, plot_of

    chosen = plot_of(kind)
    return isinstance(chosen, MovingPlot) and chosen.several


def _check_file(kind: str, output: Path, *, epochs: bool, overwrite: bool) -> None:
    """Refuse a file that the kind cannot be written to."""
    from nettrain.report.plot import MovingPlot, plot_of

    moves = isinstance(plot_of(kind), MovingPlot)
    if epochs and not moves:
        raise ConfigError(f"--epochs: {kind} has no moving picture; boundary and descent have one")
    still = () if epochs else ENDINGS
    check_output(output, (*still, *(MOVING if moves else ())), overwrite=overwrite)


def _draw(view: "RunView", kind: str, output: Path, shown: Sequence[Path]) -> None:
    from nettrain.report.plot import MovingPlot, plot_of
    from nettrain.report.style import figure_bytes, styled

    chosen, ending = plot_of(kind), output.suffix.lower()
    for one in (view, *view.others):
        _check_has(chosen.lacks(one), one, kind)
    with styled():
        if ending in MOVING and isinstance(chosen, MovingPlot):
            for one in (view, *view.others):
                _check_has(chosen.lacks_frames(one), one, kind)
            content = _moving(chosen, view, ending, shown)
        else:
            content = figure_bytes(chosen.draw(view), ending.lstrip(".") or "png")
    write_output(output, content)
    say(f"{output}: {chosen.reading}")


def _moving(chosen: "MovingPlot", view: "RunView", ending: str, shown: Sequence[Path]) -> bytes:
    from nettrain.report.movie import gif_bytes, movie_page

    movie = chosen.movie(view)
    if ending == ".gif":
        return gif_bytes(movie)
    names = ", ".join(path.absolute().name for path in shown)
    return movie_page(movie, f"{chosen.title}: {names}", chosen.reading)


def _check_has(reason: str | None, view: "RunView", kind: str) -> None:
    if reason:
        raise ConfigError(f"{view.record.path}: has no figure {kind!r}: {reason}")


def _list(view: "RunView") -> None:
    from rich.table import Table

    from nettrain.report.plot import MovingPlot, plot_names, plot_of

    reasons = {name: plot_of(name).lacks(view) for name in plot_names()}
    shown = Table(box=None, pad_edge=False, show_header=False)
    for name, reason in sorted(reasons.items(), key=lambda item: item[1] is not None):
        kind = plot_of(name)
        what = kind.title if reason is None else f"not here: {reason}"
        shown.add_row(name, what, style="dim" if reason else "")
        if reason is None and isinstance(kind, MovingPlot):
            still = kind.lacks_frames(view)
            what = f"not here: {still}" if still else f"{kind.title}, a frame per snapshot"
            shown.add_row(f"{name} --epochs", what, style="dim" if still else "")
    console().print(shown)
    drawable = [name for name, reason in reasons.items() if reason is None]
    if drawable:
        say(f"draw one: nettrain plot {view.record.path} {drawable[0]}")
