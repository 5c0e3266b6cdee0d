"""`nettrain predict`: what a checkpoint says of new rows."""

from pathlib import Path
from typing import Annotated

import typer

from nettrain.cli.options import AllowPlugins, CheckpointPath
from nettrain.cli.output import say, warn_of_plugins
from nettrain.errors import ConfigError


def predict(
    checkpoint: CheckpointPath,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A file with the columns of the training data.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The CSV file to write; default: stdout.",
            show_default=False,
        ),
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Add the probability of each class.")
    ] = False,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Write what CHECKPOINT predicts for each row of INPUT, in the order of the rows: a class or a value, as CSV."""
    from nettrain.inference.load import load
    from nettrain.inference.prediction_table import as_csv, decided_columns, probability_columns

    predictor = load(checkpoint, allow_plugins=allow_plugins)
    warn_of_plugins(predictor)
    if probabilities and predictor.task == "regression":
        raise ConfigError(
            "--probabilities: this model predicts values, which have none; leave the option out"
        )
    rows = predictor.read(source, with_target=False)
    found = predictor.predictions_of(rows)
    files = [] if rows.files is None else [("file", rows.files.tolist())]
    text = as_csv(
        [
            *files,
            *decided_columns(predictor, found),
            *(probability_columns(predictor, found) if probabilities else ()),
        ]
    )
    if output is None:
        typer.echo(text.encode(), nl=False)  # UTF-8 like a file, whatever the terminal's encoding
        return
    write_file(output, text)
    say(f"{len(found)} rows -> {output}")


def write_file(path: Path, text: str) -> None:
    """The whole file or none of it; a device or pipe (/dev/null) is written to, never replaced."""
    from nettrain.training.artifacts.files import disk_errors, write_atomically

    if path.is_dir():
        raise ConfigError(f"-o {path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise ConfigError(f"-o {path}: the folder {str(path.parent)!r} does not exist")
    if path.exists() and not path.is_file():
        with disk_errors(path), open(path, "w", encoding="utf-8") as device:
            device.write(text)
    else:
        write_atomically(path, text.encode())
