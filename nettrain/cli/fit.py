"""`nettrain fit`: train, evaluate, and create a run directory."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.check import describe
from nettrain.cli.data_argument import init_command, is_data, mapping_for
from nettrain.cli.distributed import (
    AllowDifferentBits,
    Distributed,
    process_group,
    tell_of_launcher,
)
from nettrain.cli.find_lr import find
from nettrain.cli.options import (
    AllowPlugins,
    ConfigOrData,
    Json,
    Kernels,
    OutputDirectory,
    RunName,
    Seed,
    Sets,
    Threads,
    refuse_beside_resume,
)
from nettrain.cli.output import console, print_json, say
from nettrain.errors import ConfigError

if TYPE_CHECKING:
    from nettrain.inspection.assessment import Assessment
    from nettrain.training.callbacks import Callback
    from nettrain.training.distributed.group import ProcessGroup
    from nettrain.training.result import Result

DEFAULT_OUTPUT = Path("runs")


def fit(
    config: ConfigOrData = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            metavar="NAME",
            help="With DATA in place of CONFIG: the column to predict. Default: guessed, and said.",
            show_default=False,
        ),
    ] = None,
    sets: Sets = None,
    seed: Seed = None,
    output_directory: OutputDirectory = DEFAULT_OUTPUT,
    run_name: RunName = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume",
            metavar="RUN",
            help="Resume a run, or extend it with --set training.epochs=N.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run named by --run-name.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Load the data and build the model, but train and write nothing."
        ),
    ] = False,
    find_lr: Annotated[
        bool,
        typer.Option(
            "--find-lr",
            help="Only suggest a learning rate: 100 steps on a copy; the loss curve as CSV.",
        ),
    ] = False,
    threads: Threads = None,
    kernels: Kernels = None,
    profile: Annotated[
        bool,
        typer.Option("--profile", help="Print a per-layer timing breakdown on stderr."),
    ] = False,
    distributed: Distributed = None,
    allow_different_bits: AllowDifferentBits = False,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="Print errors only (and what --json and --profile ask for)."
        ),
    ] = False,
) -> None:
    """Train the model of CONFIG, evaluate it, and create a run directory.

    CONFIG may be DATA: a table, arrays, or a folder of images. Then everything is chosen for it,
    as `nettrain init DATA` writes it.
    """
    if profile and (dry_run or find_lr):
        raise ConfigError(
            "fit: --profile times a training, which --dry-run and --find-lr skip: "
            "leave one of them out"
        )
    if distributed and (profile or dry_run or find_lr):
        raise ConfigError(
            "fit: --distributed trains a run, --profile, --dry-run and --find-lr look at one "
            "process: leave one of them out"
        )
    changes = [*(sets or []), *([] if seed is None else [f"seed={seed}"])]
    changes += [] if kernels is None else [f"training.kernels={kernels}"]
    if resume is not None:
        given = {
            "CONFIG": config is not None,
            "--target": target is not None,
            "--seed": seed is not None,
            "--output-directory": output_directory != DEFAULT_OUTPUT,
            "--run-name": run_name is not None,
            "--overwrite": overwrite,
            "--dry-run": dry_run,
            "--find-lr": find_lr,
        }
        refuse_beside_resume("fit", given, "a run is resumed with its own config")
    elif config is None:
        raise ConfigError(
            "fit: name a CONFIG (a packaged example: nettrain fit digits), "
            "or resume with --resume RUN"
        )
    elif find_lr:
        if is_data(config):
            raise ConfigError(
                f"fit: --find-lr needs a config; write it: {init_command(config, target)}"
            )
        find(
            config,
            changes,
            output_directory,
            run_name,
            allow_plugins=allow_plugins,
            json=json,
            quiet=quiet,
        )
        return
    elif dry_run:
        chosen = _settled(config, target, quiet=json)
        describe(chosen, changes, allow_plugins=allow_plugins, json=json)
        return
    if not (distributed or quiet):
        tell_of_launcher()
    with process_group(distributed, allow_different_bits=allow_different_bits) as group:
        how = How(changes, allow_plugins, quiet, threads, profile, group)
        quiet = quiet or not how.first
        if resume is not None:
            result, assessment = _resume(resume, how)
        elif config is not None:
            chosen = _settled(config, target, quiet=quiet)
            if isinstance(chosen, dict) and not quiet:
                _tell_suspicions(chosen, changes)
            result, assessment = _train(chosen, output_directory, run_name, overwrite, how)
        if result.diagnostics and not quiet:
            _show_diagnostics(result)
        if json and how.first:
            print_json(summary(result))
        elif not quiet:
            _report(result, assessment)


def summary(result: "Result") -> dict[str, object]:
    """The object that `--json` prints."""
    return {
        "run_directory": str(result.run_directory),
        "stop_reason": result.stop_reason,
        "epochs": result.epochs,
        "best_epoch": result.best_epoch,
        "seconds": result.seconds,
        "metrics": result.metrics,
        "baseline": result.baseline,
        **result.added,
    }


def _settled(path: Path, target: str | None, *, quiet: bool) -> Path | dict[str, object]:
    """The CONFIG; of DATA the configuration made for it, after saying what was decided."""
    if is_data(path):
        mapping, proposal = mapping_for(path, target)
        if not quiet:
            for line in proposal.decisions:
                say(line)
            say("to write this as a config:", command=init_command(path, target))
        return mapping
    if target is not None:
        raise ConfigError(
            f"--target: {path} is a config, which names the target itself (dataset.source); leave "
            "the option out"
        )
    return path


def _tell_suspicions(mapping: dict[str, object], sets: list[str]) -> None:
    """Errors and warnings about data that nobody has looked at, a line each."""
    from nettrain.cli.render_columns import brief_lines
    from nettrain.config.load import load
    from nettrain.inspection.data_profile.profile import profile_data

    for line in brief_lines(profile_data(load(mapping, sets))):
        say(line)


@dataclass(frozen=True)
class How:
    """What a new run and a resumed one have in common."""

    sets: list[str]
    allow_plugins: bool
    quiet: bool
    threads: int | None
    profile: bool
    group: "ProcessGroup | None"

    @property
    def first(self) -> bool:
        """Whether this process speaks for all."""
        return self.group is None or self.group.rank == 0


def _train(
    config: Path | dict[str, object],
    output_directory: Path,
    run_name: str | None,
    overwrite: bool,
    how: How,
) -> tuple["Result", "Assessment"]:
    from nettrain.config.checks import name_problem
    from nettrain.config.load import load, located

    loaded = load(
        config, how.sets, allow_plugins=how.allow_plugins
    )  # first: errors come before slow imports
    if run_name is not None and (problem := name_problem(run_name)):
        raise ConfigError(f"--run-name: {problem}")
    from nettrain.training.train import train

    with located(config, how.sets), _observers(how) as (callbacks, assessment):
        result = train(
            loaded,
            output_directory=output_directory,
            run_name=run_name,
            overwrite=overwrite,
            allow_plugins=how.allow_plugins,
            threads=how.threads,
            callbacks=callbacks,
            group=how.group,
        )
    return result, assessment


def _resume(run: Path, how: How) -> tuple["Result", "Assessment"]:
    from nettrain.training.resume import resume

    with _observers(how) as (callbacks, assessment):
        result = resume(
            run,
            sets=how.sets,
            allow_plugins=how.allow_plugins,
            threads=how.threads,
            callbacks=callbacks,
            group=how.group,
        )
    return result, assessment


@contextmanager
def _observers(how: How) -> Iterator[tuple[list["Callback"], "Assessment"]]:
    """The callbacks of a run, and the one among them that holds what is shown at its end."""
    from nettrain.cli.profile import profiling
    from nettrain.cli.progress import progress
    from nettrain.inspection.assessment import Assessment

    assessment = Assessment()
    with profiling(how.profile) as clocks, progress(how.quiet or not how.first) as shown:
        yield [*shown, *clocks, *([assessment] if how.first else [])], assessment


def _show_diagnostics(result: "Result") -> None:
    from nettrain.cli.render_model import diagnostics_table

    console(stderr=True).print(diagnostics_table(result.diagnostics))


def _best(result: "Result") -> str:
    """The best epoch, the metric that chose it, and whether its weights are those of the run."""
    from nettrain.cli.render import number

    if result.best_epoch is None or result.best_value is None:
        return ""
    last = "; the weights are those of the last epoch" if result.weights == "last" else ""
    chosen = f"{result.monitor} {number(result.best_value)}"
    return f"; best epoch: {result.best_epoch} ({chosen}){last}"


def worse_than_baseline(result: "Result") -> str:
    """Returns what is said where a constant predicts the last part better; empty: it does not."""
    from nettrain.cli.render import number

    part = list(result.metrics)[-1]
    constants = {"accuracy": "the most frequent class", "r2": "the mean of the training targets"}
    for name, constant in constants.items():
        own = result.metrics[part].get(name)
        least = result.baseline.get(part, {}).get(name)
        if part != "train" and own is not None and least is not None and own < least:
            return (
                f"on the {part} part the network is worse than {constant} ({name} {number(own)}, "
                f"{number(least)}): rows may be too few for so many inputs; try fewer columns, a "
                "smaller network or stronger regularization"
            )
    return ""


def _report(result: "Result", assessment: "Assessment") -> None:
    from nettrain.cli.render import metrics_table

    found = assessment
    shown = (result.metrics, result.baseline, found.intervals, found.linear, found.reading)
    console().print(metrics_table(*shown))
    if found.linear_left_out:
        say(f"no linear model: {found.linear_left_out}")
    if worse := worse_than_baseline(result):
        say(worse)
    reason = "" if result.stop_reason == "epochs" else f" ({result.stop_reason.replace('_', ' ')})"
    say(f"trained {result.epochs} epochs in {result.seconds:.1f} s{reason}{_best(result)}")
    say("next:", command=f"nettrain eval {shlex.quote(str(result.run_directory))}")
