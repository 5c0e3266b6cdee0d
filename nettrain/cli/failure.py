"""What the command line makes of a failure: a line or a list on stderr and an exit code; only a fault of ours keeps its traceback."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import typer

from nettrain.errors import NettrainError

SIGINT_EXIT = 130
# What a user can mend: a full disk or quota, a folder that may not be written, too many open files.
_MENDABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE)


@contextmanager
def told() -> Iterator[None]:
    """Turn what went wrong inside into words and an exit code."""
    try:
        yield
    except NettrainError as error:
        raise _ended(str(error), error.exit_code) from None
    except KeyboardInterrupt:
        raise _ended("interrupted", SIGINT_EXIT) from None
    except BrokenPipeError:
        _silence()
        raise typer.Exit(1) from None
    except MemoryError as error:
        raise _ended(
            f"out of memory ({error}); use a smaller model, batch or dataset.limit", 1
        ) from None
    except OSError as error:
        if error.errno not in _MENDABLE:
            raise
        place = f"{error.filename}: " if error.filename else ""
        raise _ended(
            f"{place}{(error.strerror or str(error)).lower()}", NettrainError.exit_code
        ) from None


def _silence() -> None:
    """The reader of our output went away (`| head`): what is still in the buffers must not fail once more at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # a stream that is no file, or is closed
            os.dup2(nowhere, stream.fileno())


def _ended(message: str, exit_code: int) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(exit_code)
