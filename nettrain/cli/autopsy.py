"""`nettrain autopsy`: why a run diverged, to the operation and the rows."""

import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.completion import complete_run
from nettrain.cli.options import AllowPlugins, Json, Threads
from nettrain.cli.output import console, print_json

if TYPE_CHECKING:
    from nettrain.inspection.autopsy import Autopsy, RowCause
    from nettrain.inspection.not_finite import NotFinite, Operand

MAX_ROWS = 10  # that are printed; --json has all


def autopsy(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run directory of a run that diverged; it is only read.",
            show_default=False,
            autocompletion=complete_run,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write a minimal reproduction into this new directory: config.yaml, the rows and "
            "the weights before the step.",
            show_default=False,
        ),
    ] = None,
    threads: Threads = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show no progress; print the result alone.")
    ] = False,
) -> None:
    """Find out why RUN diverged: the batch, the operation, the layer and the rows.

    Training is replayed in a temporary directory, from the run's last checkpoint or from the
    start, up to the first batch that leads to NaN or infinite numbers.
    """
    from nettrain.cli.progress import progress
    from nettrain.inspection import autopsy as dissecting

    with progress(quiet) as callbacks:
        result = dissecting.autopsy(
            run, output=output, allow_plugins=allow_plugins, threads=threads, callbacks=callbacks
        )
    if json:
        print_json(asdict(result))
    else:
        _report(result)


def _report(result: "Autopsy") -> None:
    rows = f"{result.batch_rows} row{'s' * (result.batch_rows != 1)}"
    _line(
        f"{result.run}: epoch {result.epoch}, batch {result.batch} ({rows}, lr {result.lr:g}) is "
        "the first that leads to NaN or infinite numbers"
    )
    _line(f"replayed from {result.start}")
    typer.echo()
    if result.cause is None:
        _line("every value and gradient is finite: only the sum of the loss over the rows is not")
    else:
        _cause(result.cause, result.kind)
    if result.rows and result.cause is not None:
        typer.echo()
        what = "rows with the largest numbers" if result.cause.shared else "rows that did it"
        share = f"{len(result.rows)} of {result.batch_rows}"
        _line(f"{what}, {share} (number in the data: largest input after the transforms)")
        for row in result.rows[:MAX_ROWS]:
            _line(_row(row), "  ")
        if len(result.rows) > MAX_ROWS:
            _line(f"... {len(result.rows) - MAX_ROWS} more (--json)", "  ")
    typer.echo()
    _line(f"try {', or '.join(result.remedies)}")
    if result.reproduction is not None:
        one = result.reproduction
        typer.echo()
        number = len(one.rows)
        ends = "it diverges too" if one.diverges else (
            "it does not diverge by itself: the step also needs the optimizer's state or random "
            "numbers of the run"
        )  # fmt: skip
        _line(f"reproduction with {number} row{'s' * (number != 1)} in {one.directory}; {ends}")
        for command in one.commands:
            typer.echo(f"  {command}")


def _cause(cause: "NotFinite", kind: str) -> None:
    layer = f"{cause.layer} ({kind})" if kind else cause.layer
    where = {
        "forward": f"forward pass, {layer}: {cause.operation}",
        "backward": f"backward pass, {layer}: {cause.operation}",
        "update": f"update of {layer} by {cause.operation}",
    }[cause.direction]
    _line(f"{where}{f': {cause.formula}' if cause.formula else ''}")
    index = ", ".join(map(str, cause.index))
    element = f"{cause.result}[{index}]" if cause.index else cause.result
    share = f"{cause.count} of {cause.size} elements are not finite"
    _line(f"{element} = {cause.value:g} ({share})", "  ")
    for operand in cause.operands:
        _line(_operand(operand), "  ")


def _operand(operand: "Operand") -> str:
    shape = "x".join(map(str, operand.shape)) or "a number"
    origin = f" = {operand.origin}" if operand.origin else ""
    name = f"{operand.name}{origin} ({shape})"
    if operand.minimum == operand.maximum:
        return f"{name}: {operand.minimum:.6g}"
    return f"{name}: {operand.minimum:.6g} to {operand.maximum:.6g}"


def _row(row: "RowCause") -> str:
    return f"{row.row}: {row.input} = {row.value:.6g}"


def _line(text: str, indent: str = "") -> None:
    """Writes on stdout, broken between words."""
    typer.echo(
        textwrap.fill(
            text,
            console().width,
            initial_indent=indent,
            subsequent_indent=indent + "    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    )
