"""The two streams: results on stdout, as JSON or as tables; messages for people on stderr."""

import io
import json
import math
import os
import sys
import textwrap
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from nettrain.inference.predictor import Predictor

STANDARD_OUTPUT = "standard output"


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object on stdout; NaN and infinity, which JSON does not have, become null."""
    typer.echo(json.dumps(_plain(value)))


def write_stdout(content: bytes) -> None:
    """Write bytes on stdout: UTF-8 as in a file, whatever the terminal's encoding."""
    typer.echo(content, nl=False)


def say(message: str, *, command: str = "") -> None:
    """Print a line for people, on stderr; on a terminal it is wrapped at spaces.

    Args:
        message: A sentence.
        command: To be copied: it follows the message and is never wrapped.
    """
    width = _width_of(sys.stderr)
    if not command:
        write_stderr(wrapped(message, width))
    elif width is None or len(message) + 1 + len(command) <= width:
        write_stderr(f"{message} {command}")
    else:
        write_stderr(f"{wrapped(message, width)}\n{command}")


def wrapped(message: str, width: int | None) -> str:
    """Each line broken at spaces, and indented where it goes on; words, paths too, stay whole."""
    if width is None:
        return message
    return "\n".join(
        textwrap.fill(
            line,
            width,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
        )
        for line in message.split("\n")
    )


def write_stderr(text: str) -> None:
    """Print on stderr; where that cannot be written (a full disk), what follows is dropped too.

    Messages are for people: losing them must not lose a training.
    """
    try:
        typer.echo(text, err=True)
    except BrokenPipeError:
        raise
    except OSError:
        drop_messages()


def drop_messages() -> None:
    """From here on stderr leads nowhere."""
    with suppress(OSError, ValueError):  # a stream that is no file, or is closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def show(text: str) -> None:
    """Print a line of results on stdout; on a terminal it is wrapped at spaces."""
    typer.echo(wrapped(text, _width_of(sys.stdout)))


def _width_of(stream: TextIO) -> int | None:
    """Of the terminal; None where the stream is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):  # a stream that is no file, or no terminal
        return None


def warn_of_plugins(predictor: "Predictor") -> None:
    """Warn that code which has changed since training may compute something else."""
    for path in predictor.changed_plugins:
        say(f"warning: {path} is not what the model was trained with (its fingerprint differs)")


def console(*, stderr: bool = False) -> "Console":
    """Where tables are drawn; into a file or a pipe as wide as COLUMNS says, or 120 columns."""
    from rich.console import Console  # 40 ms that --json and errors do not need

    if isinstance(sys.stdout, io.TextIOWrapper):
        # a class name that the terminal's encoding lacks must not end the command
        sys.stdout.reconfigure(errors="backslashreplace")
    drawn_on = Console(stderr=stderr, highlight=False)
    if not drawn_on.is_terminal:
        given = os.environ.get("COLUMNS", "")
        drawn_on.width = int(given) if given.isdecimal() and int(given) else 120
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
    sys.stdout = naming_itself(sys.stdout)


class _StandardOutput(io.FileIO):
    """Descriptor 1: an error of writing names it, as that of a file names the file."""

    def write(self, content: Any) -> int:
        """Write bytes. Raises OSError."""
        try:
            return super().write(content)
        except OSError as error:
            error.filename = STANDARD_OUTPUT
            raise


def naming_itself(stream: TextIO) -> TextIO:
    """Returns the same stream, whose errors name it; one that is no plain file as it is."""
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # Python without buffers (-u) has a file there
    if not isinstance(stream, io.TextIOWrapper) or type(raw) is not io.FileIO:
        return stream
    stream.flush()
    named: Any = _StandardOutput(raw.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        named if raw is buffer else io.BufferedWriter(named),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


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
