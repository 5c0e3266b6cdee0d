"""What can go wrong through no fault of the program: every message says the value, the place and the remedy.

The command line turns a `NettrainError` into its message and its exit code. Anything else is a fault of ours and keeps its traceback.
"""

import difflib
from collections.abc import Iterable


class NettrainError(Exception):
    """A mistake that the user can mend."""

    exit_code = 2


class ConfigError(NettrainError):
    """A configuration that cannot be used; `problems` holds every one found, a line each."""

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class DataError(NettrainError):
    """Data that is absent, malformed, or does not fit what was asked of it."""


class CheckpointError(NettrainError):
    """A checkpoint or run directory that is absent, damaged, of another format, or does not fit."""


class RunError(NettrainError):
    """A run that cannot start or go on: its directory exists, the disk is full, it cannot be resumed."""


class PluginError(NettrainError):
    """Code of the user's own, in a plugin, that failed; the message holds its lines, `__cause__` the failure."""

    exit_code = 1


class Diverged(NettrainError):
    """The loss or the weights became NaN or infinite."""

    exit_code = 3


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'adam'?` for the known name closest to `name`, or nothing where none is close."""
    found = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]!r}?" if found else ""
