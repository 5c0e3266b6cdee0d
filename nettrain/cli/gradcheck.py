"""`nettrain gradcheck`: the gradients of one's own model, loss and data, against finite differences."""

import dataclasses
import shlex
from typing import Annotated

import typer

from nettrain.cli.options import AllowPlugins, ConfigPath, Json, Sets
from nettrain.cli.output import console, print_json, say


def gradcheck(
    config: ConfigPath,
    rows: Annotated[
        int, typer.Option("--rows", min=1, help="How many rows of the training part.")
    ] = 8,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0, help="The largest relative error that passes.")
    ] = 1e-6,
    sets: Sets = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Compare the gradient of CONFIG's loss, in float64, with central differences; exit code 1 where they differ. Writes nothing.

    In every parameter of at most 64 elements all are tried, in larger ones the 32 with the largest gradients and 32 others.
    """
    from nettrain.config.load import load, located

    double = [*(sets or []), "dtype=float64"]
    loaded = load(
        config, double, allow_plugins=allow_plugins
    )  # before training is imported: a mistake is told at once
    from nettrain.config.plugins import in_use
    from nettrain.inspection.gradcheck import check_gradients
    from nettrain.training.train import prepare_run

    with located(config, double), in_use(loaded.plugins):
        found = check_gradients(
            prepare_run(loaded, allow_plugins=allow_plugins), rows=rows, tolerance=tolerance
        )
    if json:
        print_json(dataclasses.asdict(found) | {"passed": found.passed})
    else:
        from nettrain.cli.render import gradient_table

        console().print(gradient_table(found.arrays))
        wrong = [array.name for array in found.arrays if not array.passed]
        say(f"{found.rows} rows, loss {found.loss:.6g}, tolerance {tolerance:g}")
        say(
            f"WRONG: {', '.join(wrong)}"
            if wrong
            else f"all right; next: nettrain fit {shlex.quote(str(config))}"
        )
    if not found.passed:
        raise typer.Exit(1)
