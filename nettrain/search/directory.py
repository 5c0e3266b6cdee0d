"""The directory of a search: made once its data is found good, opened again to resume."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nettrain.config.checks import name_problem
from nettrain.errors import ConfigError, RunError, nearest
from nettrain.files import read_text
from nettrain.training.artifacts.directory import new_directory


@dataclass(frozen=True)
class SearchKind:
    """A kind of search.

    Attributes:
        name: In messages: "sweep".
        command: What resumes one: "nettrain sweep".
        mark: The file that every directory of this kind has.
    """

    name: str
    command: str
    mark: str

    @property
    def article(self) -> str:
        """Of the name."""
        return "an" if self.name[0] in "aeiou" else "a"


class NewDirectory:
    """A directory that is made when its path is first asked for.

    Use it as a context manager around the preparation of a search: a directory that had to be made
    early is removed again if the preparation fails.

    Args:
        parent: Where it is made.
        name: Its name; one that is taken gets a suffix (digits-cv-2), unless `exact`.
        exact: Whether a name that is taken is an error.
    """

    def __init__(self, parent: Path, name: str, *, exact: bool) -> None:
        if problem := name_problem(name):
            raise ConfigError(f"--run-name: {problem}")
        self._parent, self._name, self._exact = parent.absolute(), name, exact
        self._path: Path | None = None

    @property
    def path(self) -> Path:
        """The directory, absolute. Raises RunError where it cannot be made."""
        if self._path is None:
            self._path = new_directory(self._parent, self._name, exact=self._exact)
        return self._path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None and self._path is not None:
            shutil.rmtree(self._path)


def existing_directory(path: Path, kind: SearchKind) -> Path:
    """The absolute path of a directory of this kind. Raises RunError where there is none."""
    if not path.is_dir():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = nearest(path.name, siblings)
        raise RunError(f"{path}: there is no such {kind.name} directory{hint}")
    if not (path / kind.mark).is_file():
        raise RunError(
            f"{path}: is not {kind.article} {kind.name} directory (it has no {kind.mark})"
        )
    return path.absolute()


def read_mark(path: Path, kind: SearchKind) -> dict[str, Any]:
    """The content of a mark that is a JSON mapping. Raises RunError where it is damaged."""
    try:
        content = json.loads(read_text(path / kind.mark))
        if isinstance(content, dict):
            return content
    except (OSError, ValueError, RecursionError):
        pass
    raise damaged(path, kind)


def damaged(path: Path, kind: SearchKind) -> RunError:
    """The error for a search whose mark holds something else."""
    return RunError(f"{path / kind.mark}: is damaged; begin another with {kind.command} CONFIG")


def data_changed(path: Path, kind: SearchKind) -> RunError:
    """The error for a search that cannot be resumed, since its data is not what it was."""
    return RunError(
        f"{path}: the data has changed since the {kind.name} began; "
        f"begin another with {kind.command} CONFIG"
    )
