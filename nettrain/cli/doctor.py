"""`nettrain doctor`: is this set-up able to learn? Checks before a long run."""

import dataclasses
import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.options import AllowPlugins, ConfigPath, Json, Seed, Sets
from nettrain.cli.output import console, print_json, say

if TYPE_CHECKING:
    from nettrain.inspection.doctor.finding import Examination

FAILED_EXIT = 4


def doctor(
    config: ConfigPath,
    sets: Sets = None,
    seed: Seed = None,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds",
            min=1,
            help="About how long it may take; more steps are made where there is more time.",
        ),
    ] = 20.0,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Find out whether CONFIG is able to learn, before a long run. Writes nothing.

    Each check says what it measured, and what to do where something is wrong.

    Exit code 4 where a check fails; warnings leave it at 0.
    """
    from nettrain.config.load import load, located

    changes = [*(sets or []), *([] if seed is None else [f"seed={seed}"])]
    loaded = load(
        config, changes, allow_plugins=allow_plugins
    )  # first: errors come before slow imports
    from nettrain.cli.render_findings import FindingPrinter
    from nettrain.inspection.doctor.examine import doctor as examine

    printer = None if json else FindingPrinter(console())
    with located(config, changes):
        examination = examine(
            loaded,
            allow_plugins=allow_plugins,
            seconds=seconds,
            observe=printer or (lambda finding: None),
        )
    if json:
        print_json(dataclasses.asdict(examination) | {"passed": examination.passed})
    else:
        say(_counted(examination))
        if examination.passed:
            options = "".join(f" --set {shlex.quote(change)}" for change in changes)
            say(f"next: nettrain fit {shlex.quote(str(config))}{options}")
    if not examination.passed:
        raise typer.Exit(FAILED_EXIT)


def _counted(examination: "Examination") -> str:
    """How many findings there are of each status."""
    counts = [
        f"{len(found)} {status}{'s' * (status == 'warning' and len(found) != 1)}"
        for status in ("failed", "warning", "ok", "skipped")
        if (found := examination.with_status(status))
    ]
    return f"{', '.join(counts)} in {examination.seconds:.1f} s"
