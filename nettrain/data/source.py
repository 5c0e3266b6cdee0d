"""The base of all sources: where rows come from."""
from abc import abstractmethod
from pathlib import Path
from typing import Self

from nettrain.component import Component
from nettrain.data.dataset import Dataset
from nettrain.data.schema import Schema


_BY_SUFFIX = {".npz": "npz", ".npy": "npy", ".idx": "idx"}


class Source(Component):
    """A file, a named set or a generator of rows. Sources load; they neither split nor scale."""

    kind = "source"
    package = "nettrain.sources"

    def absolute(self, directory: Path) -> Self:
        """The same source with its paths made absolute, relative ones counted from `directory` (where the config stands)."""
        return self

    @abstractmethod
    def load(self, seed: int) -> Dataset:
        """All rows. `seed` is the run's, for synthetic sources. Raises DataError naming file, line and column."""

    def like(self, path: Path) -> "Source":
        """The source that reads another file in the manner of this one (same separator, same missing marks), for eval and predict."""
        return Source.parse({"type": _BY_SUFFIX.get(path.suffix.lower(), "csv"), "path": str(path)})

    @abstractmethod
    def load_again(self, schema: Schema, *, with_target: bool) -> Dataset:
        """The columns that a trained model wants, found by name; `with_target` false ignores a target whether absent or present."""
