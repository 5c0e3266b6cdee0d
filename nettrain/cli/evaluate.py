"""`nettrain eval`: the metrics of a checkpoint on a part of its data, or on a file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.conformal import Level, describe
from nettrain.cli.options import AllowPlugins, CheckpointPath, Json
from nettrain.cli.output import console, print_json, say, warn_of_plugins
from nettrain.errors import ConfigError, NettrainError, nearest

if TYPE_CHECKING:
    from nettrain.cli.table import NumberTable
    from nettrain.data.dataset import Dataset
    from nettrain.inference.predictor import Evaluation, Predictor
    from nettrain.metrics import ClassOutcome

BY_DEFAULT = ("test", "validation", "train")  # the first that exists
SYNONYMS = {"val": "validation", "valid": "validation", "dev": "validation", "training": "train"}


def evaluate(
    checkpoint: CheckpointPath,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            metavar="NAME",
            help="train, validation or test. Default: the last that exists.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="FILE", help="Evaluate on this file instead.", show_default=False
        ),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            "--threshold",
            metavar="best_f1|NUMBER",
            help="Of two classes: decide for the positive one from this probability on; best_f1: "
            "the one with the largest F1 on the validation rows.",
            show_default=False,
        ),
    ] = None,
    keep_threshold: Annotated[
        bool,
        typer.Option(
            "--keep-threshold",
            help="Keep it in the checkpoint, for predict, report and later eval; 0.5 removes it.",
        ),
    ] = False,
    level: Level = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Show the metrics of CHECKPOINT with their 95 % intervals, beside the baselines.

    One baseline knows only how often each class occurs, or the mean; the other is a linear model
    (logistic or ridge regression) of the same inputs, left out where fitting it would take long.
    For classes also a table per class and the confusion matrix.
    """
    if split is not None and data is not None:
        raise ConfigError("eval: --split and --data cannot be used together; leave one out")
    if keep_threshold and threshold is None:
        raise ConfigError("eval: --keep-threshold keeps what --threshold chooses; name both")
    from nettrain.config.plugins import in_use
    from nettrain.inference.load import load
    from nettrain.inspection.intervals import metric_intervals
    from nettrain.inspection.linear_metrics import linear_metrics
    from nettrain.inspection.threshold import keep_threshold as keep
    from nettrain.inspection.threshold import with_threshold

    predictor = load(checkpoint, allow_plugins=allow_plugins)
    warn_of_plugins(predictor)
    if data is not None:
        name = str(data)
        rows = predictor.read(data, with_target=True)
        train = _training_rows(predictor)
    else:
        training_data = predictor.training_data
        name = _part(split, tuple(training_data.rows))
        if predictor.data_changed:
            say(
                "warning: the data is not what the model was trained on (its fingerprint differs); "
                "rows may have changed parts"
            )
        rows, train = training_data.part(name), training_data.part("train")
    if threshold is not None:
        with_threshold(predictor, threshold)
    predictor.at_level(level)
    evaluation = predictor.evaluation(rows, train)
    with in_use(predictor.config.plugins):
        linear = {} if train is None else linear_metrics(predictor, rows, train)
        intervals = metric_intervals(evaluation.metrics, evaluation.outcome, evaluation.losses)
    if keep_threshold:
        keep(predictor)
    if predictor.decision.threshold is not None:
        positive = (predictor.classes or ())[predictor.decision.positive]
        kept = "" if threshold is None or keep_threshold else "; --keep-threshold keeps it"
        say(
            f"decided for {positive!r} from a probability of {predictor.decision.threshold:.4g} "
            f"on{kept}"
        )
    if predictor.conformal is not None:
        say(describe(predictor.conformal))
    if json:
        print_json(_summary(predictor, name, evaluation, intervals, linear))
    else:
        _report(predictor, name if data is None else data.name, evaluation, intervals, linear)


def _part(asked: str | None, existing: tuple[str, ...]) -> str:
    if asked is None:
        return next(name for name in BY_DEFAULT if name in existing)
    if asked not in existing:
        meant = SYNONYMS.get(asked)
        hint = f"; did you mean {meant!r}?" if meant in existing else nearest(asked, existing)
        raise ConfigError(
            f"--split {asked}: this run has no such part{hint} (it has {', '.join(existing)})"
        )
    return asked


def _training_rows(predictor: "Predictor") -> "Dataset | None":
    """The rows that the baseline is made from; None where the training data is gone."""
    try:
        return predictor.training_data.part("train")
    except NettrainError as error:
        say(f"no baseline, since the training data cannot be read: {error}")
        return None


def _summary(
    predictor: "Predictor",
    name: str,
    evaluation: "Evaluation",
    intervals: Mapping[str, Sequence[float]],
    linear: Mapping[str, float],
) -> dict[str, object]:
    from nettrain.metrics import ClassOutcome

    summary: dict[str, object] = {
        "checkpoint": str(predictor.path),
        "split": name,
        "metrics": evaluation.metrics,
        "baseline": evaluation.baseline,
        "linear": linear,
        "intervals": intervals,
    }
    if predictor.conformal is not None:
        summary["level"] = predictor.conformal.level
    if isinstance(evaluation.outcome, ClassOutcome):
        summary |= {
            "classes": predictor.classes,
            "confusion_matrix": evaluation.outcome.confusion_matrix,
        }
        if predictor.decision.threshold is not None:
            summary |= _threshold_summary(predictor, evaluation.outcome)
    return summary


def _threshold_summary(predictor: "Predictor", outcome: "ClassOutcome") -> dict[str, object]:
    from nettrain.inspection.threshold import threshold_scores

    return {
        "positive": predictor.schema.labels[outcome.decision.positive],
        "threshold": outcome.decision.threshold,
        "at_threshold": {
            name: {"value": share.value, "interval": share.interval}
            for name, share in threshold_scores(outcome).items()
        },
    }


def _threshold_table(predictor: "Predictor", outcome: "ClassOutcome") -> "NumberTable":
    """What the threshold gains and costs, beside 0.5."""
    from nettrain.cli.render import interval, number
    from nettrain.cli.table import NumberTable
    from nettrain.inspection.threshold import BY_DEFAULT, threshold_scores

    decision = outcome.decision
    plain = replace(outcome, decision=replace(decision, threshold=BY_DEFAULT))
    table = NumberTable(
        f"of {(predictor.classes or ())[decision.positive]!r}",
        f"from {BY_DEFAULT}",
        f"from {decision.threshold:.4g}",
        "95 % interval",
    )
    at_half = threshold_scores(plain)
    for name, share in threshold_scores(outcome).items():
        shown = "-" if share.interval is None else interval(share.interval)
        table.add_row(name, number(at_half[name].value), number(share.value), shown)
    return table


def _report(
    predictor: "Predictor",
    name: str,
    evaluation: "Evaluation",
    intervals: Mapping[str, Sequence[float]],
    linear: Mapping[str, float],
) -> None:
    from nettrain.cli.render import class_table, confusion_table, metrics_table
    from nettrain.inspection.metric_rows import reading_of
    from nettrain.metrics import ClassOutcome, ValueOutcome, per_class_table, per_target_table

    out, outcome = console(), evaluation.outcome
    out.print(
        metrics_table(
            {name: evaluation.metrics},
            {name: evaluation.baseline},
            {name: intervals},
            {name: linear},
            reading_of(predictor.config, predictor.loss, predictor.classes),
        )
    )
    targets = predictor.schema.targets
    if isinstance(outcome, ClassOutcome) and outcome.decision.threshold is not None:
        out.print("", _threshold_table(predictor, outcome))
    if isinstance(outcome, ValueOutcome):
        is_image = predictor.schema.autoencoder and not predictor.names
        if len(targets) > 1 and not is_image:
            out.print("", class_table(targets, per_target_table(outcome)))
        return
    out.print("", class_table(predictor.classes or targets, per_class_table(outcome)))
    if isinstance(outcome, ClassOutcome):
        matrix = outcome.confusion_matrix.tolist()
        out.print("", confusion_table(predictor.classes or (), matrix, out.width))
