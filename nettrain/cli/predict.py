"""`nettrain predict`: the predictions of a trained model for new rows."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.conformal import Level, describe
from nettrain.cli.options import AllowPlugins, CheckpointPath
from nettrain.cli.output import say, warn_of_plugins, write_stdout
from nettrain.cli.output_file import Overwrite, check_output, write_output
from nettrain.errors import ConfigError

if TYPE_CHECKING:
    from nettrain.data.features import Features
    from nettrain.data.written_columns import WrittenColumns
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
            help="The file to write: .csv, .tsv or .jsonl (.gz too), .parquet, .arrow or .feather. "
            "Default: CSV on stdout.",
            show_default=False,
        ),
    ] = None,
    overwrite: Overwrite = False,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--keep",
            metavar="COLUMN,...",
            help="Columns of INPUT to carry over, as they stand there. Repeatable.",
            show_default=False,
        ),
    ] = None,
    probabilities: Annotated[
        bool,
        typer.Option(
            "--probabilities", help="Add the probability of each class to that of the predicted."
        ),
    ] = False,
    threshold: Annotated[
        str | None,
        typer.Option(
            "--threshold",
            metavar="best_f1|NUMBER",
            help="Of two classes: decide for the positive one from this probability on, in place "
            "of the one that eval has kept; best_f1: the one with the largest F1 on the validation "
            "rows.",
            show_default=False,
        ),
    ] = None,
    level: Level = None,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Predict a class or a value for each row of INPUT, in the order of the rows.

    Classes and labels come with their probability, values with their quantiles
    if several are trained, and with an interval, lower to upper, after nettrain
    calibrate. In CSV and TSV, texts that begin as a formula does (= + - @) are
    written behind an apostrophe, so that no spreadsheet computes them.
    """
    from nettrain.cli.prediction_file import ENDINGS, writer_for

    if output is not None:
        check_output(output, ENDINGS, overwrite=overwrite, inputs=[source])
    writer = writer_for(output)
    from nettrain.inference.load import load
    from nettrain.inference.prediction_table import blocks, prediction_columns
    from nettrain.inspection.threshold import with_threshold

    predictor = load(checkpoint, allow_plugins=allow_plugins)
    warn_of_plugins(predictor)
    if probabilities and predictor.task == "regression":
        raise ConfigError(
            "--probabilities: a regression model predicts values, not classes; leave the option out"
        )
    if threshold is not None:
        with_threshold(predictor, threshold)
    predictor.at_level(level)
    kept = _kept(predictor, source, keep, probabilities=probabilities) if keep else None
    rows = predictor.read(source, with_target=False)
    columns = [] if rows.files is None else [("file", rows.files)]
    found = predictor.predictions_of(rows)
    columns += prediction_columns(predictor, found, probabilities=probabilities)
    _tell_gaps(rows.features)
    names = [*(() if kept is None else kept.names), *(name for name, _ in columns)]
    if predictor.decision.threshold is not None:
        positive = (predictor.classes or ())[predictor.decision.positive]
        say(f"decided for {positive!r} from a probability of {predictor.decision.threshold:.4g} on")
    if predictor.conformal is not None:
        say(describe(predictor.conformal))
    content = writer.chunks(names, blocks(columns, kept))
    if output is None:
        for chunk in content:
            write_stdout(chunk)
    else:
        write_output(output, content)
        say(f"{len(rows):,} rows -> {output}")
    if writer.note is not None:
        say(writer.note)


def _tell_gaps(features: "Features") -> None:
    """Say which columns of numbers have missing cells: predictions rest on what fills them."""
    import numpy as np

    from nettrain.inspection.data_profile.wording import listed, plural

    if features.numbers.ndim != 2 or features.numbers.dtype.kind != "f":
        return
    counts = zip(features.names, np.isnan(features.array).sum(axis=0), strict=True)
    found = [f"{name} ({plural(int(count), 'row')})" for name, count in counts if count]
    if found:
        say(f"missing cells, filled as in training: {listed(found)}")


def _kept(
    predictor: "Predictor", source: Path, keep: list[str], *, probabilities: bool
) -> "WrittenColumns":
    """The columns to carry over, checked before the rows are predicted."""
    from nettrain.inference.prediction_table import check_kept

    kept = predictor.written_columns(source, keep)
    if not kept.names:
        raise ConfigError("--keep: names no column; leave the option out")
    check_kept(kept.names, predictor, probabilities=probabilities)
    return kept
