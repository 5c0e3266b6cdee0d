"""`nettrain sweep`: compare many settings of a run, retrain the best, and test it once."""

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
    Sets,
    refuse_beside_resume,
)
from nettrain.cli.output import console, print_json, say
from nettrain.errors import ConfigError

if TYPE_CHECKING:
    from nettrain.inspection.intervals import Interval
    from nettrain.search.sweep.result import SweepResult

DEFAULT_OUTPUT = Path("runs")


def sweep(
    config: OptionalConfigPath = None,
    sets: Sets = None,
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials", metavar="N", help="Number of settings to try.", show_default=False
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="N",
            help="Runs at the same time, one thread each. Results do not depend on it, except with "
            "bayes and early_terminate, which learn from trials in the order they end. "
            "Default: all cores.",
            show_default=False,
        ),
    ] = None,
    executor: ExecutorName = "local",
    output_directory: OutputDirectory = DEFAULT_OUTPUT,
    run_name: RunName = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume",
            metavar="DIR",
            help="Resume a sweep, or extend it with --trials N. Trials that an error of the system "
            "ended (a full disk, no permission) are made again.",
            show_default=False,
        ),
    ] = None,
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed",
            help="With --resume: make again also the trials that failed, were killed, or ran out "
            "of memory.",
        ),
    ] = False,
    study: Annotated[
        str | None,
        typer.Option(
            "--study",
            metavar="URL",
            help="Write an Optuna study too: sqlite:///study.db.",
            show_default=False,
        ),
    ] = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Try many settings of a run (grid, random or Bayesian search) and keep the best."""
    if resume is not None:
        given = {
            "CONFIG": config is not None,
            "--set": bool(sets),
            "--output-directory": output_directory != DEFAULT_OUTPUT,
            "--run-name": run_name is not None,
        }
        refuse_beside_resume("sweep", given, "a sweep is resumed with its own config")
        result = _resumed(
            resume, trials, retry_failed, executor, workers, allow_plugins, quiet, study
        )
    elif retry_failed:
        raise ConfigError("sweep: --retry-failed needs --resume DIR: it tries trials again")
    elif config is None:
        raise ConfigError(
            "sweep: name a CONFIG (a packaged example: nettrain sweep sweeps/digits_random), "
            "or resume with --resume DIR"
        )
    else:
        result = _swept(
            config,
            sets or [],
            trials,
            executor,
            workers,
            allow_plugins,
            quiet,
            output_directory,
            run_name,
            study,
        )
    if json:
        from nettrain.search.sweep.result import as_json

        print_json(as_json(result) | {"intervals": _intervals(result, allow_plugins)})
    elif not quiet:
        _report(result, _intervals(result, allow_plugins), allow_plugins)
    if result.best is None:
        for note in result.notes:
            say(f"note: {note}")
        say(
            f"no trial finished; the first failed with: {result.trials[0].message}"
            if result.trials
            else "there was no trial"
        )
        raise typer.Exit(1)


def _swept(
    config: Path,
    sets: list[str],
    trials: int | None,
    executor: str,
    workers: int | None,
    allow_plugins: bool,
    quiet: bool,
    output_directory: Path,
    run_name: str | None,
    study: str | None,
) -> "SweepResult":
    from nettrain.config.checks import name_problem
    from nettrain.search.sweep.config import load_sweep

    # First: errors come before slow imports.
    loaded = load_sweep(config, sets, trials=trials, allow_plugins=allow_plugins)
    if run_name is not None and (problem := name_problem(run_name)):
        raise ConfigError(f"--run-name: {problem}")
    from nettrain.search.executors.registry import executor_for

    # Its processes start while this one goes on importing.
    with executor_for(executor, workers) as ready:
        from nettrain.cli.search_progress import progress
        from nettrain.search.sweep.sweep import sweep

        with progress(quiet) as observer:
            return sweep(
                loaded,
                output_directory=output_directory,
                run_name=run_name,
                executor=ready,
                observer=observer,
                study=study,
            )


def _resumed(
    directory: Path,
    trials: int | None,
    retry_failed: bool,
    executor: str,
    workers: int | None,
    allow_plugins: bool,
    quiet: bool,
    study: str | None,
) -> "SweepResult":
    from nettrain.cli.search_progress import progress
    from nettrain.search.sweep.sweep import resume_sweep

    with progress(quiet) as observer:
        return resume_sweep(
            directory,
            trials=trials,
            retry_failed=retry_failed,
            executor=executor,
            workers=workers,
            allow_plugins=allow_plugins,
            observer=observer,
            study=study,
        )


def _intervals(result: "SweepResult", allow_plugins: bool) -> "dict[str, Interval]":
    """Of the final run's test metrics, where there are any."""
    if result.test is None:
        return {}
    from nettrain.cli.intervals import intervals_on_test

    return intervals_on_test(Path(result.directory) / "final", allow_plugins=allow_plugins)


def _report(result: "SweepResult", intervals: "dict[str, Interval]", allow_plugins: bool) -> None:
    from nettrain.cli.intervals import reading_of_run
    from nettrain.cli.render import metrics_table
    from nettrain.cli.search_progress import trials_table
    from nettrain.search.sweep.importances import comparable

    if result.best is None:
        return
    console().print(trials_table(result))
    if result.test is not None:
        final = Path(result.directory) / "final"
        reading = reading_of_run(final, allow_plugins=allow_plugins)
        shown = metrics_table({"test": result.test}, {}, {"test": intervals}, reading=reading)
        console().print(shown)
    for note in result.notes:
        say(f"note: {note}")
    compared = comparable(result.trials)
    pruned = sum(trial.status == "pruned" for trial in compared)
    say(
        f"all trials: {Path(result.directory) / 'trials.csv'}; parameter importances: "
        f"importances.json (from {len(compared)} trials, {pruned} of them pruned)"
    )
    say("next:", command=f"nettrain eval {shlex.quote(str(Path(result.directory) / 'final'))}")
