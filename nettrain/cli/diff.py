"""`nettrain diff`: where two runs part, and what differs between them."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.completion import complete_run
from nettrain.cli.options import AllowPlugins, Json, Threads
from nettrain.cli.output import console, print_json, say, show

if TYPE_CHECKING:
    from nettrain.inspection.diff import RunDifference


def diff(
    first: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", help="A run.", show_default=False, autocompletion=complete_run
        ),
    ],
    second: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", help="Another run.", show_default=False, autocompletion=complete_run
        ),
    ],
    replay: Annotated[
        bool,
        typer.Option(
            "--replay", help="Train both again, up to where they part, to find the batch."
        ),
    ] = False,
    threads: Threads = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Show the first epoch and tensor at which two runs part, and what differs in config and data.

    Metrics and weights are compared bit for bit. For metrics with statistics: nettrain compare.
    Exit code 0: the runs are equal; 1: they differ.
    """
    from nettrain.inspection import diff as differing

    result = differing.diff(
        first, second, replay=replay, allow_plugins=allow_plugins, threads=threads
    )
    if json:
        print_json(asdict(result) | {"equal": result.equal})
    else:
        _report(result)
    if not result.equal:
        raise typer.Exit(1)


def _report(result: "RunDifference") -> None:
    from nettrain.cli.verify import epoch_table, pairs_table

    for note in result.notes:
        say(f"note: {note}")
    for title, values in (
        ("configuration", result.config),
        ("environment", result.environment),
    ):
        if values:
            console().print(pairs_table(title, "first", "second", values), "")
    if result.data:
        show("the data differs (other fingerprints)")
    if result.parts:
        show(f"the rows differ: {', '.join(result.parts)}")
    if result.equal:
        show(f"equal, bit for bit: {result.epochs[0]} epochs of metrics, and the checkpoints")
        return
    if result.epoch is not None:
        console().print(epoch_table(result.epoch, "first", "second"), "")
    elif result.epochs[0] != result.epochs[1]:
        fewer = min(result.epochs)
        show(f"equal metrics in {fewer} epochs; then only one run goes on")
    if result.batch is not None:
        place = result.batch
        where = (
            f"after batch {place.batch} of epoch {place.epoch}"
            if place.batch
            else "before the first batch"
            if place.epoch == 1
            else f"before the first batch of epoch {place.epoch}"
        )
        show(f"weights part {where}: {place.tensor.name}: {place.tensor.what}")
    for name, tensor in result.tensors.items():
        more = f" (and {tensor.tensors - 1} more)" if tensor.tensors > 1 else ""
        show(f"first tensor that differs in {name}.safetensors: {tensor.name}{more}: {tensor.what}")
