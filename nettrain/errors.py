"""User errors, whose messages say the value, the place and the remedy; suggestions for names.

The command line turns a `NettrainError` into its message and its exit code. Any other exception
is a fault of ours and keeps its traceback.
"""

import difflib
import errno
from collections.abc import Iterable

from nettrain.synonyms import SYNONYMS

LONGEST = 2000  # characters of a line of a message
# What the system refuses, and the user can do something about: a full disk or quota, a disk or a
# network drive that fails, no permission, too many open files.
SYSTEM_ERRORS = (
    errno.EIO,
    errno.ESTALE,
    errno.EFBIG,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EMFILE,
    errno.ENFILE,
)


class NettrainError(Exception):
    """A user error: something that the user can correct."""

    exit_code = 2

    def __str__(self) -> str:
        """The message; a value in it may be of any length, and is shortened."""
        return shortened(super().__str__())


class ConfigError(NettrainError):
    """A configuration that cannot be used.

    Attributes:
        problems: everything that is wrong with it, one line each.
    """

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class DataError(NettrainError):
    """Data that is missing or malformed, or does not fit what was asked of it."""


class CheckpointError(NettrainError):
    """A checkpoint or run directory that is missing, damaged, or does not fit."""


class RunError(NettrainError):
    """A run that cannot start or resume: it exists, the disk is full, its data has changed."""


class PluginError(NettrainError):
    """A failure in the user's own code, in a plugin.

    The message shows the lines of the plugin; `__cause__` is the original exception.
    """

    exit_code = 1


class Diverged(NettrainError):
    """The loss or the weights became NaN or infinite."""

    exit_code = 3


def is_system_error(error: BaseException) -> bool:
    """Whether the system refused something, such as to write: this or what led to this error."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, OSError) and link.errno in SYSTEM_ERRORS:
            return True
        link = link.__cause__ or link.__context__
    return False


def shortened(message: str) -> str:
    """The message without the middle of lines that are too long."""
    half = LONGEST // 2
    lines = message.split("\n")
    return "\n".join(
        line if len(line) <= LONGEST else f"{line[:half]} ... {line[-half:]}" for line in lines
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'adam'?` for the known name that is meant or spelled most like it.

    Returns nothing where no known name is close.
    """
    name, names = str(name), list(known)
    meant = list(SYNONYMS.get(name, ()))
    if name.startswith("val_"):
        metric = name.removeprefix("val_")
        meant += [f"validation_{one}" for one in (metric, *SYNONYMS.get(metric, ()))]
    matches = [one for one in meant if one in names]
    matches = matches or difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def elsewhere(key: str) -> str:
    """Return the same for a key that stands elsewhere: `epochs` is training.epochs."""
    paths = [path for path in SYNONYMS.get(key, ()) if "." in path]
    return f"; did you mean {paths[0]!r}?" if paths else ""
