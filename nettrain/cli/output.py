"""The two streams: results on stdout, as one JSON object or as tables; what people read meanwhile on stderr."""

import io
import json
import math
import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from nettrain.inference.predictor import Predictor


def print_json(found: dict[str, Any]) -> None:
    """Exactly one object on stdout; NaN and infinity, which JSON does not have, become null."""
    typer.echo(json.dumps(_plain(found)))


def say(message: str) -> None:
    """A line for people, on stderr."""
    typer.echo(message, err=True)


def warn_of_plugins(predictor: "Predictor") -> None:
    """Code that is not what the model was trained with may compute something else."""
    for path in predictor.changed_plugins:
        say(f"warning: {path} is not what the model was trained with (its fingerprint differs)")


def console(*, stderr: bool = False) -> "Console":
    """Where tables are drawn; into a file or a pipe they are drawn 120 columns wide."""
    from rich.console import Console  # 40 ms that --json and errors do not need

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # a class name that the terminal's encoding lacks must not end the command
    found = Console(stderr=stderr, highlight=False)
    if not found.is_terminal:
        found.width = 120
    return found


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
