"""`nettrain cv`: k-fold cross-validation of a configuration."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    from nettrain.search.cv.result import CrossValidation

FOLDS, REPEATS, OUTPUT = 5, 1, Path("runs")


def cv(
    config: OptionalConfigPath = None,
    folds: Annotated[int, typer.Option("--folds", help="Number of folds.")] = FOLDS,
    repeats: Annotated[
        int, typer.Option("--repeats", help="Repetitions, each with other folds and seeds.")
    ] = REPEATS,
    stratify: Annotated[
        bool | None,
        typer.Option(
            "--stratify/--no-stratify",
            help="Same fraction of each class in every fold. Default: for classification.",
            show_default=False,
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            metavar="COLUMN",
            help="Group column: rows of one group stay in one fold.",
            show_default=False,
        ),
    ] = None,
    final: Annotated[
        bool,
        typer.Option("--final", help="Then train on all folds and evaluate on the test part."),
    ] = False,
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
            help="Resume an interrupted cross-validation.",
            show_default=False,
        ),
    ] = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train CONFIG once per fold, on the other folds, and score it on that fold.

    The test part is used with --final only.
    """
    if resume is None and config is None:
        raise ConfigError(
            "cv: name a CONFIG (a packaged example: nettrain cv digits), "
            "or resume with --resume DIR"
        )
    if resume is not None:
        given = {
            "CONFIG": config is not None,
            "--folds": folds != FOLDS,
            "--repeats": repeats != REPEATS,
            "--stratify": stratify is not None,
            "--group": group is not None,
            "--final": final,
            "--set": bool(sets),
            "--seed": seed is not None,
            "--output-directory": output_directory != OUTPUT,
            "--run-name": run_name is not None,
        }
        refuse_beside_resume(
            "cv", given, "a cross-validation is resumed with the options it was started with"
        )
    changes = [*(sets or []), *([] if seed is None else [f"seed={seed}"])]
    from nettrain.config.load import load, located

    # First: errors come before slow imports.
    loaded = None if config is None else load(config, changes, allow_plugins=allow_plugins)
    from nettrain.search.executors.registry import executor_for

    # Its processes start while this one goes on importing.
    with executor_for(executor, workers) as ready:
        from nettrain.cli.search_progress import progress
        from nettrain.search.cv.cross_validation import cross_validate, resume_cross_validation

        with progress(quiet) as observer:
            if resume is not None:
                result = resume_cross_validation(
                    resume, executor=ready, allow_plugins=allow_plugins, observer=observer
                )
            elif loaded is not None and config is not None:
                with located(config, changes):
                    result = cross_validate(
                        loaded,
                        folds=folds,
                        repeats=repeats,
                        stratify=stratify,
                        group=group,
                        final=final,
                        output_directory=output_directory,
                        run_name=run_name,
                        executor=ready,
                        allow_plugins=allow_plugins,
                        observer=observer,
                    )
    if json:
        print_json(_summary(result) | {"final_intervals": _intervals(result, allow_plugins)})
    elif not quiet:
        _report(result, _intervals(result, allow_plugins))


def _summary(result: "CrossValidation") -> dict[str, Any]:
    """What --json prints."""
    content = asdict(result)
    del content["notes"]
    return content


def _intervals(result: "CrossValidation", allow_plugins: bool) -> "dict[str, Interval]":
    """Of the test metrics of the final run, where there is one."""
    if result.final is None:
        return {}
    from nettrain.cli.intervals import intervals_on_test

    return intervals_on_test(result.final.run_directory, allow_plugins=allow_plugins)


def _report(result: "CrossValidation", intervals: "dict[str, Interval]") -> None:
    from nettrain.cli.render import folds_table

    content = _summary(result)
    console().print(
        folds_table(
            content["folds"],
            result.mean,
            result.std,
            result.interval,
            content["final"],
            intervals,
        )
    )
    for note in result.notes:
        say(note)
    say("interval: 95 %, with the variance of Nadeau & Bengio, since folds share training rows")
    say(f"out-of-fold predictions: {shlex.quote(str(Path(result.directory) / 'predictions.csv'))}")
