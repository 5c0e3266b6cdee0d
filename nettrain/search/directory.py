"""The directory of several runs that belong together: folds, the members of an ensemble, the trials of a sweep."""

from pathlib import Path

from nettrain.config.checks import name_problem
from nettrain.errors import ConfigError, RunError
from nettrain.training.artifacts.files import disk_errors


def new_directory(parent: Path, name: str, *, exact: bool) -> Path:
    """A new, empty directory, absolute. A taken name gets a suffix (digits-cv-2), or is an error where it was asked for exactly."""
    if problem := name_problem(name):
        raise ConfigError(f"--run-name: {problem}")
    with disk_errors(parent / name):
        parent.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = parent.absolute() / (name if number == 1 else f"{name}-{number}")
            try:
                path.mkdir()  # fails where another process was first
                return path
            except FileExistsError:
                if exact:
                    raise RunError(f"{path}: exists already; choose another --run-name") from None
                number += 1
