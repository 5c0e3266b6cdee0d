"""`nettrain eval`: how good a checkpoint is on a part of its data, or on a file."""
from pathlib import Path
from typing import Annotated

import typer

from nettrain.cli.options import CheckpointPath, Json


def evaluate(
    checkpoint: CheckpointPath,
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="train, validation or test; default: the last there is.", show_default=False)
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="FILE", help="Evaluate on this file instead.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Show the metrics of CHECKPOINT beside the trivial baseline, and for classes the table of each and the confusion matrix."""
