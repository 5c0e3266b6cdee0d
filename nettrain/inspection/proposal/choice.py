"""A configuration as a tree of choices, each with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Preset = Literal["small", "default", "strong"]


@dataclass(frozen=True)
class Choice:
    """A value, and why it was chosen.

    Attributes:
        value: As YAML has it.
        reason: A phrase; empty where nothing was chosen.
    """

    value: object
    reason: str = ""


Tree = Mapping[str, "Tree | Choice | Sequence[Choice]"]


@dataclass(frozen=True)
class Wishes:
    """What the user says of the data; the rest is decided by it.

    Attributes:
        target: The column or array to predict; for npy the file that holds it. None: guessed.
        task: None: the target decides.
        ignore: Columns to leave out.
        group: The column whose groups stay in one part.
        time: The column by which the latest rows test.
        preset: How large the network is, and how long it trains.
    """

    target: str | None = None
    task: Literal["classification", "regression"] | None = None
    ignore: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None
    preset: Preset = "default"


@dataclass(frozen=True)
class Proposal:
    """A configuration for some data, with reasons.

    Attributes:
        title: What the data is, in a sentence.
        decisions: What was decided, a line each, for the screen.
        tree: The configuration; relative paths in it count from the current directory.
        paths: The keys of `dataset.source` that hold paths.
        notes: What reading the data has assumed, a sentence each.
    """

    title: str
    decisions: tuple[str, ...]
    tree: Tree
    paths: tuple[str, ...] = ("path",)
    notes: tuple[str, ...] = field(default=())

    def mapping(self) -> dict[str, object]:
        """The configuration alone, as `load` takes it."""
        return {key: plain(node) for key, node in self.tree.items()}


def plain(node: object) -> object:
    """The values of a tree, without their reasons."""
    if isinstance(node, Choice):
        return node.value
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [plain(item) for item in node]
    return node
