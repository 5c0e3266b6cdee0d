"""The two streams: results on stdout, as JSON or as tables; messages for people on stderr."""

import io
import json
import math
import os
import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from nettrain.inference.predictor import Predictor


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object on stdout; NaN and infinity, which JSON does not have, become null."""
    typer.echo(json.dumps(_plain(value)))


def write_stdout(content: bytes) -> None:
    """Write bytes on stdout: UTF-8 as in a file, whatever the terminal's encoding."""
    typer.echo(content, nl=False)


def say(message: str) -> None:
    """Print a line for people, on stderr."""
    typer.echo(message, err=True)


def warn_of_plugins(predictor: "Predictor") -> None:
    """Warn that code which has changed since training may compute something else."""
    for path in predictor.changed_plugins:
        say(f"warning: {path} is not what the model was trained with (its fingerprint differs)")


def console(*, stderr: bool = False) -> "Console":
    """Where tables are drawn; into a file or a pipe they are drawn 120 columns wide."""
    from rich.console import Console  # 40 ms that --json and errors do not need

    if isinstance(sys.stdout, io.TextIOWrapper):
        # a class name that the terminal's encoding lacks must not end the command
        sys.stdout.reconfigure(errors="backslashreplace")
    drawn_on = Console(stderr=stderr, highlight=False)
    if not drawn_on.is_terminal:
        drawn_on.width = 120
    return drawn_on


def open_standard_streams() -> None:
    """Open streams that the caller closed (`2>&-`): else the first file opened became stderr."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
