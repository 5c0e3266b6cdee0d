"""`nettrain predict`: the predictions of a trained model for new rows."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.options import AllowPlugins, CheckpointPath
from nettrain.cli.output import say, warn_of_plugins, write_stdout
from nettrain.cli.output_file import Overwrite, check_output, write_output
from nettrain.errors import ConfigError

if TYPE_CHECKING:
    from nettrain.inference.predictor import Predictor


def predict(
    checkpoint: CheckpointPath,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A file with the columns of the training data, or a folder of images.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write: .csv, .jsonl or .parquet. Default: CSV on stdout.",
            show_default=False,
        ),
    ] = None,
    overwrite: Overwrite = False,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Add the probability of each class.")
    ] = False,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Predict a class or a value for each row of INPUT, in the order of the rows."""
    from nettrain.cli.prediction_file import WRITERS

    if output is not None:
        check_output(output, list(WRITERS), overwrite=overwrite, inputs=[source])
    from nettrain.inference.load import load

    predictor = load(checkpoint, allow_plugins=allow_plugins)
    warn_of_plugins(predictor)
    if probabilities and predictor.task == "regression":
        raise ConfigError(
            "--probabilities: a regression model predicts values, not classes; leave the option out"
        )
    if predictor.decision.threshold is not None:
        positive = (predictor.classes or ())[predictor.decision.positive]
        say(f"decided for {positive!r} from a probability of {predictor.decision.threshold:.4g} on")
    columns = _columns(predictor, source, probabilities=probabilities)
    ending = ".csv" if output is None else output.suffix.lower()
    content = WRITERS.get(ending, WRITERS[".csv"])(columns)  # a device has no ending
    if output is None:
        write_stdout(content)
        return
    write_output(output, content)
    say(f"{len(columns[0][1]):,} rows -> {output}")


def _columns(
    predictor: "Predictor", source: Path, *, probabilities: bool
) -> list[tuple[str, list[object]]]:
    """The columns to write: file names of images, predictions, and probabilities if asked for."""
    from nettrain.inference.prediction_table import decided_columns, probability_columns

    rows = predictor.read(source, with_target=False)
    outputs = predictor.predictions_of(rows)
    files = [] if rows.files is None else [("file", rows.files.tolist())]
    columns = [*files, *decided_columns(predictor, outputs)]
    return columns + (list(probability_columns(predictor, outputs)) if probabilities else [])
