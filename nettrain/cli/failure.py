"""Failures on the command line: a message and an exit code; a fault of ours keeps its traceback."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import typer

from nettrain.cli.output import STANDARD_OUTPUT, say
from nettrain.errors import SYSTEM_ERRORS, NettrainError, shortened

SIGINT_EXIT = 130


@contextmanager
def reported() -> Iterator[None]:
    """Turn an exception raised inside into a message and an exit code."""
    try:
        yield
    except NettrainError as error:
        raise _ended(str(error), error.exit_code) from None
    except KeyboardInterrupt:
        raise _ended("interrupted", SIGINT_EXIT) from None
    except BrokenPipeError:
        _silence(sys.stdout, sys.stderr)
        raise typer.Exit(1) from None
    except MemoryError as error:
        message = f"out of memory ({error}); use a smaller model, batch or dataset.limit"
        raise _ended(message, 1) from None
    except OSError as error:
        if error.errno == errno.ENOENT and _directory_is_gone():
            message = "the current directory has been removed; change to one that exists"
            raise _ended(message, NettrainError.exit_code) from None
        if error.errno not in SYSTEM_ERRORS:
            raise
        if error.filename == STANDARD_OUTPUT:
            _silence(sys.stdout)
        file = f"{error.filename}: " if error.filename else ""
        message = f"{file}{(error.strerror or str(error)).lower()}"
        raise _ended(message, NettrainError.exit_code) from None


def _directory_is_gone() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _silence(*streams: TextIO) -> None:
    """Drop what is in the buffers: the reader of our output went away (`| head`), or it is full."""
    null_device = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        with suppress(OSError, ValueError):  # a stream that is no file, or is closed
            os.dup2(null_device, stream.fileno())


def _ended(message: str, exit_code: int) -> typer.Exit:
    say(shortened(message))
    return typer.Exit(exit_code)
