"""`nettrain gradcheck`: the gradients of a configuration against finite differences."""

import dataclasses
import shlex
from typing import Annotated

import typer

from nettrain.cli.options import AllowPlugins, ConfigPath, Json, Sets
from nettrain.cli.output import console, print_json, say


def gradcheck(
    config: ConfigPath,
    rows: Annotated[
        int, typer.Option("--rows", min=1, help="Rows of the training part to use.")
    ] = 8,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0, help="Largest relative error that passes.")
    ] = 1e-6,
    sets: Sets = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Compare the gradients of CONFIG with central differences, in float64. Writes nothing.

    Exit code 1 on a mismatch.

    In a parameter of at most 64 elements all are checked, in a larger one the 32 with the
    largest gradients and 32 others.
    """
    from nettrain.config.load import load, located

    double = [*(sets or []), "dtype=float64"]
    loaded = load(
        config, double, allow_plugins=allow_plugins
    )  # first: errors come before slow imports
    from nettrain.config.plugins import in_use
    from nettrain.inspection.gradcheck import check_gradients
    from nettrain.training.train import prepare_run

    with located(config, double), in_use(loaded.plugins):
        report = check_gradients(
            prepare_run(loaded, allow_plugins=allow_plugins), rows=rows, tolerance=tolerance
        )
    if json:
        print_json(dataclasses.asdict(report) | {"passed": report.passed})
    else:
        from nettrain.cli.render_model import gradient_table

        console().print(gradient_table(report.arrays))
        mismatches = [array.name for array in report.arrays if not array.passed]
        say(f"{report.rows} rows, loss {report.loss:.6g}, tolerance {tolerance:g}")
        if mismatches:
            say(f"MISMATCH: {', '.join(mismatches)}")
        else:
            say("all gradients match; next:", command=f"nettrain fit {shlex.quote(str(config))}")
    if not report.passed:
        raise typer.Exit(1)
