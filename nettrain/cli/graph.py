"""`nettrain graph`: the computation graph of a model and its loss, as a picture, a page or DOT."""

from pathlib import Path
from typing import Annotated

import typer

from nettrain.cli.options import AllowPlugins, Json, Sets
from nettrain.cli.output import print_json, say
from nettrain.cli.output_file import Overwrite, check_output, write_output
from nettrain.cli.trace import PartName, RowNumbers, Subject

ENDINGS = (".svg", ".png", ".pdf", ".html", ".dot")


def graph(
    subject: Subject,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A picture (.svg, .png, .pdf), a page (.html) or Graphviz source (.dot). "
            "Default: DOT on stdout.",
            show_default=False,
        ),
    ] = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="One box per layer instead of one per operation.")
    ] = False,
    row: RowNumbers = None,
    part: PartName = None,
    overwrite: Overwrite = False,
    sets: Sets = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Draw the operations that compute the loss, with the shapes between them.

    With --row, boxes hold values and gradients (d = ...) too; of large arrays their range.
    """
    if output is not None:
        check_output(output, ENDINGS, overwrite=overwrite, inputs=[subject])
        if output.suffix.lower() != ".dot":
            from nettrain.report import check_installed

            check_installed()
    from nettrain.config.plugins import in_use
    from nettrain.inspection.graph import dot, layers_graph, operations_graph
    from nettrain.inspection.rows_of_run import first_row, record_rows, rows_of, run_at

    run = run_at(subject, sets or [], allow_plugins=allow_plugins)
    with in_use(run.config.plugins):
        recorded = record_rows(run, rows_of(run, row or [first_row(run, part)], part))
    drawn = layers_graph(recorded) if layers else operations_graph(recorded, values=bool(row))
    if json:
        print_json({"nodes": [vars(node) for node in drawn.nodes.values()]})
    if output is None:
        if not json:
            typer.echo(dot(drawn), nl=False)
        return
    kind = output.suffix.lower().lstrip(".")
    if kind == "dot":
        content = dot(drawn).encode()
    else:
        from nettrain.report.graph_figure import graph_figure
        from nettrain.report.style import figure_bytes, figure_page

        figure = graph_figure(drawn)
        title = f"The computation graph of {subject.stem}"
        content = figure_page(figure, title) if kind == "html" else figure_bytes(figure, kind)
    write_output(output, content)
    say(f"{output}: {len(drawn.nodes)} boxes")
