"""`nettrain predict`: what a checkpoint says of new rows."""
from pathlib import Path
from typing import Annotated

import typer

from nettrain.cli.options import CheckpointPath


def predict(
    checkpoint: CheckpointPath,
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A file with the columns of the training data.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A CSV file; default: stdout.", show_default=False)
    ] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Add a column with the probability of each class.")] = False,
) -> None:
    """Write the class of each row of INPUT, or the values, in the order of the rows."""
