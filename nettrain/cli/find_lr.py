"""`nettrain fit --find-lr`: which learning rate to begin with."""

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
    """Run the range test on a network that is thrown away; write the curve, print the suggestion."""
    from nettrain.config.load import load, located

    loaded = load(
        config, sets, allow_plugins=allow_plugins
    )  # before training is imported: a mistake is told at once
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
        say(f"the curve of {len(curve.rates)} steps: {path}")
        if curve.suggestion is None:
            say(
                "the loss did not fall at any rate: look at the data, the loss and the model (nettrain check) before the rate"
            )
        else:
            typer.echo(f"{curve.suggestion:g}")
            say(
                f"next: nettrain fit {shlex.quote(str(config))} --set optimizer.lr={curve.suggestion:g}   (now {loaded.optimizer.lr:g})"
            )
