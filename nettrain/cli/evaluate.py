"""`nettrain eval`: how good a checkpoint is on a part of its data, or on a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.options import AllowPlugins, CheckpointPath, Json
from nettrain.cli.output import console, print_json, say, warn_of_plugins
from nettrain.errors import ConfigError, NettrainError, nearest

if TYPE_CHECKING:
    from nettrain.data.dataset import Dataset
    from nettrain.inference.predictor import Evaluation, Predictor

BY_DEFAULT = ("test", "validation", "train")  # the first that there is


def evaluate(
    checkpoint: CheckpointPath,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            metavar="NAME",
            help="train, validation or test; default: the last there is.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="FILE", help="Evaluate on this file instead.", show_default=False
        ),
    ] = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Show the metrics of CHECKPOINT beside the trivial baseline, and for classes the table of each and the confusion matrix."""
    if split is not None and data is not None:
        raise ConfigError("eval: --split and --data exclude each other; leave one of them out")
    from nettrain.inference.load import load

    predictor = load(checkpoint, allow_plugins=allow_plugins)
    warn_of_plugins(predictor)
    if data is not None:
        name, found = (
            str(data),
            predictor.evaluation(predictor.read(data, with_target=True), _training_rows(predictor)),
        )
    else:
        datasets = predictor.training_data.datasets
        name = _part(split, tuple(datasets))
        if predictor.data_changed:
            say(
                "warning: the data is not what the model was trained on (its fingerprint differs); rows may have changed parts"
            )
        found = predictor.evaluation(datasets[name], datasets["train"])
    if json:
        print_json(_summary(predictor, name, found))
    else:
        _report(predictor, name, found)


def _part(asked: str | None, there: tuple[str, ...]) -> str:
    if asked is None:
        return next(name for name in BY_DEFAULT if name in there)
    if asked not in there:
        raise ConfigError(
            f"--split {asked}: this run has no such part{nearest(asked, there)} (there are: {', '.join(there)})"
        )
    return asked


def _training_rows(predictor: "Predictor") -> "Dataset | None":
    """The rows whose targets the trivial baseline knows; None where the training data is gone, and there is no baseline then."""
    try:
        return predictor.training_data.datasets["train"]
    except NettrainError as error:
        say(f"no trivial baseline beside the figures: {error}")
        return None


def _summary(predictor: "Predictor", name: str, found: "Evaluation") -> dict[str, object]:
    from nettrain.metrics import ClassOutcome

    summary: dict[str, object] = {
        "checkpoint": str(predictor.path),
        "split": name,
        "metrics": found.metrics,
        "baseline": found.baseline,
    }
    if isinstance(found.outcome, ClassOutcome):
        summary |= {
            "classes": predictor.classes,
            "confusion_matrix": found.outcome.confusion_matrix,
        }
    return summary


def _report(predictor: "Predictor", name: str, found: "Evaluation") -> None:
    from nettrain.cli.render import class_table, confusion_table, metrics_table
    from nettrain.metrics import ClassOutcome, ValueOutcome, per_class_table, per_target_table

    out = console()
    out.print(metrics_table({name: found.metrics}, {name: found.baseline}))
    targets = predictor.schema.targets
    if isinstance(found.outcome, ValueOutcome):
        pixels = predictor.schema.itself and not predictor.names
        if len(targets) > 1 and not pixels:
            out.print("", class_table(targets, per_target_table(found.outcome)))
        return
    out.print("", class_table(predictor.classes or targets, per_class_table(found.outcome)))
    if isinstance(found.outcome, ClassOutcome):
        out.print(
            "",
            confusion_table(
                predictor.classes or (), found.outcome.confusion_matrix.tolist(), out.width
            ),
        )
