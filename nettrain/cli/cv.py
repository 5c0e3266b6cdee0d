"""`nettrain cv`: how good a configuration is, judged on every row by a network that has not seen it."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.completion import complete_config
from nettrain.cli.options import (
    AllowPlugins,
    ExecutorName,
    Json,
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
    from nettrain.search.cv.cross_validation import CrossValidation

FOLDS, REPEATS, OUTPUT = 5, 1, Path("runs")


def cv(
    config: Annotated[
        Path | None,
        typer.Argument(help="The YAML file.", show_default=False, autocompletion=complete_config),
    ] = None,
    folds: Annotated[
        int, typer.Option("--folds", help="Into how many parts the rows are divided.")
    ] = FOLDS,
    repeats: Annotated[
        int, typer.Option("--repeats", help="How many times, with other rows and seeds each time.")
    ] = REPEATS,
    stratify: Annotated[
        bool | None,
        typer.Option(
            "--stratify/--no-stratify",
            help="Keep the shares of the classes; default: where there are any.",
            show_default=False,
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            metavar="COLUMN",
            help="Keep the rows of a group in one fold.",
            show_default=False,
        ),
    ] = None,
    final: Annotated[
        bool,
        typer.Option(
            "--final", help="Then train on all folds, and evaluate that on the test part."
        ),
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
            help="Go on with an interrupted cross-validation.",
            show_default=False,
        ),
    ] = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train CONFIG on all folds but one, score it on that one, for each in turn; the test part stays untouched until --final."""
    if resume is None and config is None:
        raise ConfigError(
            "cv: name a CONFIG, such as configs/digits.yaml, or go on with --resume DIR"
        )
    if resume is not None:
        given = {
            "CONFIG": config is not None, "--folds": folds != FOLDS, "--repeats": repeats != REPEATS, "--stratify": stratify is not None,
            "--group": group is not None, "--final": final, "--set": bool(sets), "--seed": seed is not None,
            "--output-directory": output_directory != OUTPUT, "--run-name": run_name is not None,
        }  # fmt: skip
        refuse_beside_resume("cv", given, "a cross-validation goes on as it began")
    changes = [*(sets or []), *([] if seed is None else [f"seed={seed}"])]
    from nettrain.config.load import load, located

    loaded = (
        None if config is None else load(config, changes, allow_plugins=allow_plugins)
    )  # a mistake is told at once
    from nettrain.search.executors.registry import executor_for

    def tell(line: str) -> None:
        if not quiet:
            say(line)

    with executor_for(
        executor, workers
    ) as ready:  # its processes begin while this one goes on importing
        from nettrain.search.cv.cross_validation import Settings, cross_validate, go_on

        if loaded is None or config is None:
            assert resume is not None
            result = go_on(resume, ready, allow_plugins=allow_plugins, tell=tell)
        else:
            settings = Settings(folds, repeats, stratify, group, final)
            with located(config, changes):
                result = cross_validate(
                    loaded,
                    settings,
                    ready,
                    output_directory=output_directory,
                    run_name=run_name,
                    tell=tell,
                )
    if json:
        print_json(_summary(result))
    elif not quiet:
        _report(result)


def _summary(result: "CrossValidation") -> dict[str, object]:
    return {
        "directory": result.directory, "folds": result.folds, "mean": result.mean, "std": result.std, "interval": result.interval,
        "final": result.final,
    }  # fmt: skip


def _report(result: "CrossValidation") -> None:
    from nettrain.cli.render import folds_table

    console().print(
        folds_table(result.folds, result.mean, result.std, result.interval, result.final)
    )
    for note in result.notes:
        say(note)
    say(
        "interval: 95 %, Nadeau & Bengio's variance, which allows for folds that share training rows"
    )
    say(f"predictions of every row: {shlex.quote(str(Path(result.directory) / 'predictions.csv'))}")
