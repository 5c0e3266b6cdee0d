"""`nettrain trace`: rows through a network in numbers, as one calculates by hand."""

import dataclasses
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nettrain.cli.options import AllowPlugins, Json, Sets
from nettrain.cli.output import console, print_json

if TYPE_CHECKING:
    from nettrain.inspection.trace import Section, Speller

Subject = Annotated[
    Path, typer.Argument(help="A YAML file, or a run directory for its trained weights.")
]
RowNumbers = Annotated[
    list[int] | None,
    typer.Option(
        "--row",
        metavar="N",
        min=0,
        help="A row by its number in the data, from 0. Repeatable: a small batch. "
        "Default: the first training row.",
        show_default=False,
    ),
]
PartName = Annotated[
    str | None,
    typer.Option("--part", help="train, validation or test, if the number does not say it."),
]


def trace(
    subject: Subject,
    row: RowNumbers = None,
    part: PartName = None,
    step: Annotated[
        bool,
        typer.Option("--step", help="Training mode, and the optimizer's update of every weight."),
    ] = False,
    digits: Annotated[int, typer.Option("--digits", min=1, max=17, help="Significant digits.")] = 4,
    elements: Annotated[
        int, typer.Option("--elements", min=1, help="Elements shown of each array.")
    ] = 6,
    terms: Annotated[int, typer.Option("--terms", min=1, help="Terms shown of each sum.")] = 8,
    sets: Sets = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Calculate a row in numbers: every layer, the loss, every gradient, and one update.

    v1, v2, ... are the results of operations; `d v1` is the derivative of the loss by v1.
    """
    from nettrain.config.plugins import in_use
    from nettrain.inspection.rows_of_run import first_row, record_rows, rows_of, run_at
    from nettrain.inspection.step_trace import trace_step
    from nettrain.inspection.trace import Speller, back, forward

    run = run_at(subject, sets or [], allow_plugins=allow_plugins)
    with in_use(run.config.plugins):
        rows = rows_of(run, row or [first_row(run, part)], part)
        graph = record_rows(run, rows, training=step)
        speller = Speller(digits, elements, terms)
        forwards, backwards = forward(graph, speller), back(graph, speller)
        update = trace_step(run, graph, speller) if step else None
    numbers = ", ".join(map(str, rows.numbers))
    if json:
        print_json(
            {
                "rows": list(rows.numbers),
                "part": rows.part,
                "inputs": rows.x,
                "targets": rows.y,
                "loss": float(graph.loss.value),
                "forward": [dataclasses.asdict(section) for section in forwards],
                "backward": [dataclasses.asdict(section) for section in backwards],
                "update": None if update is None else dataclasses.asdict(update),
            }
        )
        return
    title = "row" if len(rows.numbers) == 1 else "rows"
    write = _Writer(_width())
    write.line(f"{title} {numbers} of the {rows.part} part: x {_listed(rows.x, speller)}")
    write.line(f"y {_listed(rows.y, speller)}")
    write.title("forward")
    write.sections(forwards, graph.layers, speller)
    write.title("backward: d v is the gradient of the loss with respect to v")
    write.sections(backwards, graph.layers, speller)
    if update is not None:
        lr = speller.number(update.lr)
        write.title(f"update: {update.optimizer}, step {update.number}, lr {lr}")
        write.line(update.formula)
        for note in update.notes:
            write.line(note)
        write.sections(list(update.sections), graph.layers, speller)


def _width() -> int:
    return console().width


def _listed(array: Any, speller: "Speller") -> str:
    """The first numbers of an array, and its shape."""
    flat = array.reshape(-1)
    shown = ", ".join(speller.number(value) for value in flat[: speller.elements])
    return f"{array.shape} = ({shown}{', ...' if flat.size > (speller.elements or 0) else ''})"


class _Writer:
    """Writes on stdout, lines broken between words."""

    def __init__(self, width: int) -> None:
        self.width = width

    def title(self, text: str) -> None:
        typer.echo()
        self.line(text)
        typer.echo("-" * min(self.width, len(text)))

    def line(self, text: str, indent: str = "") -> None:
        for line in textwrap.wrap(
            text,
            self.width,
            initial_indent=indent,
            subsequent_indent=indent + "    ",
            break_long_words=False,
            break_on_hyphens=False,
        ):
            typer.echo(line)

    def sections(
        self, sections: list["Section"], layers: dict[str, str], speller: "Speller"
    ) -> None:
        for section in sections:
            kind = layers.get(section.layer, "")
            where = f"{section.layer} ({kind}): " if kind else f"{section.layer or 'input'}: "
            self.line(f"{where}{section.formula}    {section.shape}")
            for line in section.lines:
                number = speller.number(line.result)
                is_number = line.expression.strip("()") in ("", number)
                text = number if is_number else f"{line.expression} = {number}"
                self.line(f"{line.target} = {text}", "  ")
            if section.omitted:
                elements = "element" if section.omitted == 1 else "elements"
                self.line(f"... {section.omitted} more {elements}", "  ")
