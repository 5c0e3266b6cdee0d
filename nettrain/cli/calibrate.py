"""`nettrain calibrate`: temperature scaling on the validation rows, kept in the checkpoint."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.options import AllowPlugins, CheckpointPath, Json
from nettrain.cli.output import console, print_json, say, warn_of_plugins
from nettrain.errors import RunError

if TYPE_CHECKING:
    from nettrain.inspection.temperature import CalibrationScores

Scores = dict[str, dict[str, "CalibrationScores"]]  # by part, then before and after


def calibrate(
    checkpoint: CheckpointPath,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take the temperature out of the checkpoint.")
    ] = False,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Correct how sure CHECKPOINT is, on its validation rows, and keep the correction in it.

    Logits are divided by one number, the temperature, that makes the log loss smallest. No
    prediction of several classes changes, only the probabilities: predict, eval and report use it.
    """
    from nettrain.inference.load import load
    from nettrain.inspection.temperature import (
        LEAST,
        MOST,
        best_temperature,
        calibratable,
        calibration_scores,
        keep_temperature,
        logits_of,
        outcome_at,
    )

    predictor = load(checkpoint, allow_plugins=allow_plugins)
    warn_of_plugins(predictor)
    model = calibratable(predictor)
    if remove:
        keep_temperature(model.path, None)
        say(f"{model.path}: no temperature any more")
        if json:
            print_json({"checkpoint": str(model.path), "temperature": None})
        return
    data = model.training_data
    if "validation" not in data.rows or not len(data.rows["validation"]):
        raise RunError(
            f"{model.path}: the run has no validation rows to choose a temperature on; train it "
            "with dataset.split.validation"
        )
    if model.data_changed:
        raise RunError(
            f"{model.path}: the data is not what the model was trained on (its fingerprint "
            "differs), so that its validation rows may be training rows; put the data back"
        )
    parts = {
        part: (logits_of(model, data.part(part)), model.truth(data.part(part)))
        for part in ("validation", "test")
        if part in data.rows and len(data.rows[part])
    }
    temperature = best_temperature(model, *parts["validation"])
    if not 1.01 * LEAST < temperature < 0.99 * MOST:
        raise RunError(
            f"{model.path}: no temperature in [{LEAST:g}, {MOST:g}] is the best one on the "
            "validation rows (too few, of one class, or the model is no better than chance there); "
            "the checkpoint stays as it is"
        )
    scores: Scores = {
        part: {
            when: calibration_scores(outcome_at(model, *of_part, t))
            for when, t in (("before", 1.0), ("after", temperature))
        }
        for part, of_part in parts.items()
    }
    keep_temperature(model.path, temperature)
    if json:
        print_json(
            {
                "checkpoint": str(model.path),
                "temperature": temperature,
                "scores": {
                    part: {when: asdict(one) for when, one in of_part.items()}
                    for part, of_part in scores.items()
                },
            }
        )
        return
    _report(scores)
    sure = "overconfident" if temperature > 1 else "underconfident"
    say(f"temperature {temperature:.4f} (the model was {sure}), kept in {model.path}")


def _report(scores: Scores) -> None:
    from nettrain.cli.render import number
    from nettrain.cli.table import NumberTable

    headings = [f"{part} {when}" for part, of_part in scores.items() for when in of_part]
    table = NumberTable("lower is better", *headings)
    for key, name in (("ece", "ECE"), ("brier", "Brier score"), ("log_loss", "log loss")):
        cells = [number(getattr(one, key)) for of in scores.values() for one in of.values()]
        table.add_row(name, *cells)
    console().print(table)
