"""`nettrain calibrate`: probabilities or intervals corrected on the validation rows, and kept."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.options import AllowPlugins, CheckpointPath, Json
from nettrain.cli.output import console, print_json, say, warn_of_plugins
from nettrain.errors import ConfigError, RunError

if TYPE_CHECKING:
    from nettrain.data.dataset import Dataset
    from nettrain.inference.model import Model
    from nettrain.inference.predictor import Predictor

Scores = dict[str, dict[str, dict[str, float]]]  # by part, then before and after


def calibrate(
    checkpoint: CheckpointPath,
    level: Annotated[
        float | None,
        typer.Option(
            "--level",
            metavar="NUMBER",
            help="Of a regression: the fraction of new values that should lie within their "
            "intervals. Default: 0.9. predict and eval can take another.",
            show_default=False,
        ),
    ] = None,
    on: Annotated[
        Path | None,
        typer.Option(
            "--on",
            metavar="FILE",
            help="Rows that training has not seen at all, in place of the validation rows.",
            show_default=False,
        ),
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take the calibration out of the checkpoint.")
    ] = False,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Correct how sure CHECKPOINT is, on its validation rows, and keep the correction in it.

    Of classes and labels logits are divided by one number, the temperature, that makes the log
    loss smallest. No prediction of several classes changes, only the probabilities.

    Values get conformal intervals: as wide as the errors on the validation rows or, of several
    trained quantiles, these widened or narrowed alike. predict, eval, report and export use them.

    Where the validation rows have chosen the best epoch, the model is a little better on them than
    on new rows: the correction is a little too small. The test rows show by how much; --on FILE
    calibrates on rows that have chosen nothing.
    """
    from nettrain.inference.load import load
    from nettrain.inspection.calibration_rows import calibration_parts, validation_chose_epoch
    from nettrain.inspection.temperature import with_one_temperature

    predictor = load(checkpoint, allow_plugins=allow_plugins)
    warn_of_plugins(predictor)
    is_value = predictor.task == "regression"
    if level is not None and not is_value:
        raise ConfigError("--level: is of the intervals of a regression; leave the option out")
    model = None if is_value else with_one_temperature(predictor)
    if remove:
        _remove(predictor, is_value=is_value, json=json)
        return
    parts = calibration_parts(predictor, on)
    if model is None:
        summary = _intervals(predictor, parts, level, json=json)
    else:
        summary = _temperature(model, parts, json=json)
    reused = on is None and validation_chose_epoch(predictor.config)
    if json:
        print_json({"checkpoint": str(predictor.path), **summary, "chose_epoch": reused})
    elif reused:
        say(
            "the validation rows have also chosen the best epoch, so this may be a little too "
            "sure: compare the test columns, or calibrate on rows that chose nothing (--on FILE)"
        )


def _remove(model: "Predictor", *, is_value: bool, json: bool) -> None:
    from nettrain.inference.conformal import keep
    from nettrain.inspection.temperature import keep_temperature

    if is_value:
        keep(model.path, None)
    else:
        keep_temperature(model.path, None)
    say(f"{model.path}: no {'intervals' if is_value else 'temperature'} any more")
    if json:
        kept = {"level": None} if is_value else {"temperature": None}
        print_json({"checkpoint": str(model.path), **kept})


def _temperature(model: "Model", parts: dict[str, "Dataset"], *, json: bool) -> dict[str, object]:
    """Keeps the temperature and, unless `json`, shows the scores. Returns the object for JSON."""
    from nettrain.inspection.temperature import (
        calibration_scores,
        keep_temperature,
        logits_of,
        outcome_at,
        temperature_of,
    )
    from nettrain.training.temperature import LEAST, MOST, is_inside

    of_parts = {part: (logits_of(model, rows), model.truth(rows)) for part, rows in parts.items()}
    temperature = temperature_of(model, *next(iter(of_parts.values())))
    if not is_inside(temperature):
        raise RunError(
            f"{model.path}: no temperature in [{LEAST:g}, {MOST:g}] is the best one on the "
            "rows (too few, of one class, or the model is no better than chance there); "
            "the checkpoint stays as it is"
        )
    scores: Scores = {
        part: {
            when: asdict(calibration_scores(outcome_at(model, *found, t)))
            for when, t in (("before", 1.0), ("after", temperature))
        }
        for part, found in of_parts.items()
    }
    keep_temperature(model.path, temperature)
    if not json:
        _report(scores, {"ece": "ECE", "brier": "Brier score", "log_loss": "log loss"})
        sure = "overconfident" if temperature > 1 else "underconfident"
        say(f"temperature {temperature:.4f} (the model was {sure}), kept in {model.path}")
    return {"temperature": temperature, "scores": scores}


def _intervals(
    model: "Predictor", parts: dict[str, "Dataset"], level: float | None, *, json: bool
) -> dict[str, object]:
    """Keeps the intervals and, unless `json`, shows the scores. Returns the object for JSON."""
    from nettrain.cli.conformal import describe
    from nettrain.inference.conformal import LEVEL, Conformal, keep

    calibrating = next(iter(parts.values()))
    predicted, truth = model.predictions_of(calibrating), model.truth(calibrating)
    level = LEVEL if level is None else level
    found = Conformal.fit(predicted, truth, model.decision).at(level)
    scores: Scores = {}
    for part, rows in parts.items():
        scores[part] = {}
        for when, model.conformal in (("before", None), ("after", found)):
            metrics = model.evaluation(rows).metrics
            shown = {name: metrics.get(name) for name in ("coverage", "interval_width")}
            scores[part][when] = {k: v for k, v in shown.items() if v is not None}
    keep(model.path, found)
    if not json:
        _report(scores, {"coverage": "coverage", "interval_width": "width"}, head="intervals")
        say(f"{describe(found)}, kept in {model.path}")
    return {"level": level, "scores": scores}


def _report(scores: Scores, names: dict[str, str], head: str = "lower is better") -> None:
    from nettrain.cli.render import number
    from nettrain.cli.table import NumberTable

    headings = [f"{part} {when}" for part, of_part in scores.items() for when in of_part]
    table = NumberTable(head, *headings)
    for key, name in names.items():
        values = [one.get(key) for of in scores.values() for one in of.values()]
        table.add_row(name, *("-" if value is None else number(value) for value in values))
    console().print(table)
