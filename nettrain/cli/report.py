"""`nettrain report`: everything about a run, or about several, on one page."""

from pathlib import Path
from typing import Annotated

import typer

from nettrain.cli.completion import complete_run
from nettrain.cli.options import AllowPlugins
from nettrain.cli.output import say
from nettrain.cli.output_file import Overwrite, check_output, write_output


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="A run, ensemble, sweep or cross-validation; or several runs side by side.",
            show_default=False,
            autocompletion=complete_run,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The page to write.")
    ] = Path("report.html"),
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
    allow_plugins: AllowPlugins = False,
) -> None:
    """Write one HTML page about RUN that needs no network: results, figures, errors, environment.

    What a run no longer has is left out and named.
    """
    from nettrain.report import check_installed

    check_installed()
    check_output(output, [".html"], overwrite=overwrite)
    from nettrain.report.page import render
    from nettrain.report.pages import page_of

    page = page_of(runs, allow_plugins=allow_plugins, part=part)
    write_output(output, render(page))
    for section in page.sections:
        if section.problem:
            say(f"{section.title}: {section.problem}")
    say(f"{output}: {len(page.sections)} sections")
