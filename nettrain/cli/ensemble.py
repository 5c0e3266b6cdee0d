"""`nettrain ensemble`: several networks that vote, in one checkpoint."""

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.options import (
    AllowPlugins,
    ExecutorName,
    Json,
    OptionalConfigPath,
    OutputDirectory,
    Quiet,
    RunName,
    Seed,
    Sets,
    Workers,
    refuse_beside_resume,
)
from nettrain.cli.output import console, print_json, say
from nettrain.errors import ConfigError

if TYPE_CHECKING:
    from nettrain.inspection.intervals import Interval
    from nettrain.search.ensembles.ensemble import EnsembleResult

OUTPUT = Path("runs")


def ensemble(
    config: OptionalConfigPath = None,
    workers: Workers = None,
    executor: ExecutorName = "local",
    sets: Sets = None,
    seed: Seed = None,
    output_directory: OutputDirectory = OUTPUT,
    run_name: RunName = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume",
            metavar="DIR",
            help="Resume an interrupted ensemble.",
            show_default=False,
        ),
    ] = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train several networks that vote, as the key `ensemble` of CONFIG says."""
    if resume is None and config is None:
        raise ConfigError(
            "ensemble: name a CONFIG (a packaged example: nettrain ensemble ensembles/digits), "
            "or resume with --resume DIR"
        )
    if resume is not None:
        given = {
            "CONFIG": config is not None, "--set": bool(sets), "--seed": seed is not None,
            "--output-directory": output_directory != OUTPUT, "--run-name": run_name is not None,
        }  # fmt: skip
        refuse_beside_resume(
            "ensemble", given, "an ensemble is resumed with the options it was started with"
        )
    changes = [*(sets or []), *([] if seed is None else [f"seed={seed}"])]
    from nettrain.config.load import load_ensemble, located

    # First: errors come before slow imports.
    loaded = None if config is None else load_ensemble(config, changes, allow_plugins=allow_plugins)
    from nettrain.search.executors.registry import executor_for

    # Its processes start while this one goes on importing.
    with executor_for(executor, workers) as ready:
        from nettrain.cli.search_progress import progress
        from nettrain.search.ensembles import ensemble as ensembles

        with progress(quiet) as observer:
            if resume is not None:
                result = ensembles.resume_ensemble(
                    resume, executor=ready, allow_plugins=allow_plugins, observer=observer
                )
            elif loaded is not None and config is not None:
                with located(config, changes):
                    result = ensembles.ensemble(
                        loaded,
                        output_directory=output_directory,
                        run_name=run_name,
                        executor=ready,
                        allow_plugins=allow_plugins,
                        observer=observer,
                    )
    if json:
        print_json(dataclasses.asdict(result) | {"intervals": _intervals(result, allow_plugins)})
    elif not quiet:
        _report(result, _intervals(result, allow_plugins), allow_plugins)


def _intervals(result: "EnsembleResult", allow_plugins: bool) -> "dict[str, Interval]":
    """Of the ensemble's test metrics, where there is a test part."""
    if "test" not in result.metrics:
        return {}
    from nettrain.cli.intervals import intervals_on_test

    return intervals_on_test(result.directory, allow_plugins=allow_plugins)


def _report(
    result: "EnsembleResult", intervals: "dict[str, Interval]", allow_plugins: bool
) -> None:
    from nettrain.cli.intervals import reading_of_run
    from nettrain.cli.render import gain_table, member_table, number

    part = next(part for part in ("test", "validation", "train") if part in result.metrics)
    out = console()
    out.print(member_table([dataclasses.asdict(one) for one in result.members], part), "")
    bag = None if result.out_of_bag is None else result.out_of_bag.metrics
    out.print(
        gain_table(
            [one.metrics[part] for one in result.members],
            result.mean_member[part],
            result.metrics[part],
            part,
            bag,
            intervals,
            reading_of_run(result.directory, allow_plugins=allow_plugins),
        )
    )
    for note in result.notes:
        say(note)
    if result.out_of_bag is not None:
        say(
            f"out of bag: {result.out_of_bag.rows:,} training rows, each predicted by the members "
            "that were not trained on it"
        )
    say(f"disagreement of two members on {part}: {number(result.disagreement[part])}")
    say("next:", command=f"nettrain eval {shlex.quote(result.directory)}")
