"""`nettrain importance`: which columns a model relies on, and how it depends on one of them."""

from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.options import AllowPlugins, CheckpointPath, Json
from nettrain.cli.output import console, print_json, say, warn_of_plugins, write_stdout
from nettrain.errors import ConfigError, nearest

if TYPE_CHECKING:
    from nettrain.data.dataset import Dataset
    from nettrain.inference.predictor import Predictor
    from nettrain.inspection.dependence import PartialDependence
    from nettrain.inspection.importance import Importance

BY_DEFAULT = ("test", "validation", "train")  # the first that exists


def importance(
    checkpoint: CheckpointPath,
    part: Annotated[
        str | None,
        typer.Option(
            "--part",
            metavar="NAME",
            help="test, validation or train. Default: the last that exists.",
            show_default=False,
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="The metric that gets worse. Default: accuracy, label_accuracy or r2.",
            show_default=False,
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option("--repeats", min=1, metavar="N", help="Shuffles per feature.")
    ] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of the shuffles.")] = 0,
    dependence: Annotated[
        str | None,
        typer.Option(
            "--dependence",
            metavar="FEATURE",
            help="Print the partial dependence on this feature, as CSV, instead.",
            show_default=False,
        ),
    ] = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Show how much worse CHECKPOINT gets when one feature is shuffled.

    Features are the columns of the data, before any transform. The intervals show how far the mean
    varies with the shuffles.
    """
    from nettrain.inference.load import load

    predictor = load(checkpoint, allow_plugins=allow_plugins)
    warn_of_plugins(predictor)
    name, rows = _rows(predictor, part)
    if dependence is not None:
        from nettrain.inspection.dependence import partial_dependence

        curve = partial_dependence(predictor, rows, dependence)
        _print_dependence(curve, predictor, name, json=json)
        return
    from nettrain.inspection.importance import permutation_importance

    found = permutation_importance(predictor, rows, metric=metric, repeats=repeats, seed=seed)
    if json:
        print_json({"checkpoint": str(predictor.path), "part": name, **_as_json(found)})
    else:
        _report(found, name)


def _rows(predictor: "Predictor", part: str | None) -> "tuple[str, Dataset]":
    data = predictor.training_data
    name = part or next(name for name in BY_DEFAULT if name in data.rows)
    if name not in data.rows:
        hint = nearest(name, data.rows)
        raise ConfigError(
            f"--part {name}: this run has no such part{hint} (it has {', '.join(data.rows)})"
        )
    if predictor.data_changed:
        say("warning: the data is not what the model was trained on (its fingerprint differs)")
    return name, data.part(name)


def _print_dependence(
    curve: "PartialDependence", predictor: "Predictor", part: str, *, json: bool
) -> None:
    import numpy as np

    from nettrain.inference.prediction_table import as_csv, named_columns, probability_columns

    columns = [(curve.feature, np.array(curve.grid))]
    if predictor.task == "regression":
        values = curve.mean[:, 0] if curve.mean.shape[1] == 1 else curve.mean
        columns += named_columns("prediction", predictor, values)
    else:
        columns += probability_columns(predictor, curve.mean)
    if json:
        print_json({"checkpoint": str(predictor.path), "part": part, "columns": dict(columns)})
    else:
        write_stdout(as_csv(columns))


def _as_json(found: "Importance") -> dict[str, object]:
    features = [
        {
            "feature": one.feature,
            "importance": one.mean,
            "std": one.std,
            "interval": one.interval,
            "repeats": one.values,
        }
        for one in found.features
    ]
    correlated = [list(pair) for pair in found.correlated]
    known = {"metric": found.metric, "value": found.value, "rows": found.rows}
    return known | {"features": features, "correlated": correlated}


def _report(found: "Importance", part: str) -> None:
    from nettrain.cli.render import INTERVAL, interval, number
    from nettrain.cli.table import NumberTable

    table = NumberTable("feature", "importance", INTERVAL, optional=(INTERVAL,))
    for one in found.features:
        table.add_row(one.feature, number(one.mean), interval(one.interval))
    table.caption = (
        f"by how much {found.metric} ({number(found.value)} on {found.rows:,} {part} rows) gets "
        "worse"
    )
    console().print(table)
    for first, second, r in found.correlated:
        say(
            f"note: {first} and {second} are strongly correlated ({r:+.2f}): the model may read "
            "one from the other, so each alone looks less important than both together"
        )
