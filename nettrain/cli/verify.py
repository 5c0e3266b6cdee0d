"""`nettrain verify`: train a run again and compare it bit for bit."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nettrain.cli.completion import complete_run
from nettrain.cli.options import AllowPlugins, Json, Threads
from nettrain.cli.output import console, print_json, say, show

if TYPE_CHECKING:
    from nettrain.cli.table import NumberTable
    from nettrain.inspection.first_difference import EpochDifference
    from nettrain.inspection.verify import Verification

MAX_METRICS = 5


def verify(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run directory; it is only read.",
            show_default=False,
            autocompletion=complete_run,
        ),
    ],
    threads: Threads = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show no progress; print the result alone.")
    ] = False,
) -> None:
    """Train RUN again from its own config and compare weights and metrics bit for bit.

    The new training writes to a temporary directory. Exit code 0: the run reproduces; 1: it does
    not, and the first difference is shown.
    """
    from nettrain.cli.progress import progress
    from nettrain.inspection import verify as verifying

    with progress(quiet) as callbacks:
        result = verifying.verify(
            run, allow_plugins=allow_plugins, threads=threads, callbacks=callbacks
        )
    if json:
        print_json(asdict(result))
    else:
        _report(result)
    if not result.reproduces:
        raise typer.Exit(1)


def _report(result: "Verification") -> None:
    for note in result.notes:
        say(f"note: {note}")
    if result.environment:
        console().print(pairs_table("environment", "recorded", "now", result.environment), "")
    if result.reproduces:
        show(f"{result.run} reproduces, bit for bit: {', '.join(result.compared)}")
        return
    show(f"{result.run} does not reproduce")
    if result.epoch is not None:
        console().print(epoch_table(result.epoch, "recorded", "now"), "")
    for name, tensor in result.tensors.items():
        more = f" (and {tensor.tensors - 1} more)" if tensor.tensors > 1 else ""
        show(f"first tensor that differs in {name}.safetensors: {tensor.name}{more}: {tensor.what}")
    for name, (old, new) in list(result.metrics.items())[:MAX_METRICS]:
        show(f"final {name}: recorded {old!r}, now {new!r}")
    if result.environment:
        show("the environment differs (above): that is the likely reason")


def epoch_table(difference: "EpochDifference", first: str, second: str) -> "NumberTable":
    """Returns a table of the first epoch that differs: its first metrics, with all their digits."""
    values = dict(list(difference.values.items())[:MAX_METRICS])
    return pairs_table(f"differs in epoch {difference.epoch}", first, second, values)


def pairs_table(
    title: str, first: str, second: str, values: dict[str, tuple[Any, Any]]
) -> "NumberTable":
    """Returns a table of what differs, both values beside each other."""
    from nettrain.cli.table import NumberTable

    table = NumberTable(title, first, second, optional=())
    for key, (a, b) in values.items():
        table.add_row(key, _shown(a), _shown(b))
    return table


def _shown(value: Any) -> str:
    """A value on one line, as YAML has it; of libraries their names and versions."""
    from nettrain.config.messages import show

    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return "; ".join(" ".join(map(str, item.values())) for item in value)
    return "-" if value is None else value if isinstance(value, str) else show(value)
