"""`nettrain fit --find-lr`: a learning rate to start with."""

import shlex
from pathlib import Path

import typer

from nettrain.cli.output import print_json, say


def find(
    config: Path,
    sets: list[str],
    folder: Path,
    name: str | None,
    *,
    allow_plugins: bool,
    json: bool,
    quiet: bool,
) -> None:
    """Run the learning-rate range test on a copy; write the curve, print the suggestion."""
    from nettrain.config.load import load, located

    loaded = load(
        config, sets, allow_plugins=allow_plugins
    )  # first: errors come before slow imports
    from nettrain.config.plugins import in_use
    from nettrain.inspection.lr_range_test import find_lr
    from nettrain.training.train import prepare_run

    with located(config, sets):
        run = prepare_run(loaded, allow_plugins=allow_plugins)
        with in_use(loaded.plugins):
            curve = find_lr(run)
    path = curve.write(folder, name or loaded.name or "run")
    if json:
        print_json({"suggestion": curve.suggestion, "now": loaded.optimizer.lr, "curve": str(path)})
    elif not quiet:
        say(f"loss over {len(curve.rates)} learning rates: {path}")
        if curve.suggestion is None:
            say(
                "the loss did not fall at any learning rate: "
                "check the data, the loss and the model first (nettrain check)"
            )
        else:
            typer.echo(f"{curve.suggestion:g}")
            say(
                f"next: nettrain fit {shlex.quote(str(config))} "
                f"--set optimizer.lr={curve.suggestion:g}"
                f"   (now {loaded.optimizer.lr:g})"
            )
