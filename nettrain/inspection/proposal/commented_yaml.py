"""A proposal as YAML that a person reads: every choice on a line, with its reason behind it."""

import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nettrain.config.dump import as_flow
from nettrain.inspection.proposal.choice import Choice, Proposal, plain

_WIDTH = 100
_COLUMN = 48  # where comments begin
_MOST_LINES = 8  # of a list of columns with a reason each


def commented_yaml(proposal: Proposal, folder: Path, first_lines: Sequence[str] = ()) -> str:
    """The configuration as a file in a folder, from where its relative paths count.

    Args:
        proposal: What to write.
        folder: Of the file that is to hold it.
        first_lines: Comments before all others, without the `#`.
    """
    title = textwrap.wrap(_safe(proposal.title), _WIDTH - 2)
    lines = [f"# {line}" for line in [*first_lines, *title]]
    lines.append("# Every value can be changed; `nettrain explain dataset.split` tells of a key.")
    tree = {**proposal.tree, "dataset": _relative(proposal, folder)}
    for key, node in tree.items():
        lines += _node(key, node, 0)
    return "\n".join(lines) + "\n"


def _relative(proposal: Proposal, folder: Path) -> dict[str, object]:
    """The `dataset` section with paths from the folder, as far as they are not far away."""
    dataset = proposal.tree["dataset"]
    if not isinstance(dataset, Mapping) or not isinstance(dataset["source"], Mapping):
        raise TypeError("the dataset section of a proposal is a mapping")
    source = {
        key: Choice(_from_folder(str(node.value), folder), node.reason)
        if key in proposal.paths and isinstance(node, Choice)
        else node
        for key, node in dataset["source"].items()
    }
    return {**dataset, "source": source}


def _from_folder(path: str, folder: Path) -> str:
    try:
        relative = os.path.relpath(path, folder.absolute())
    except ValueError:  # on another drive
        return path
    return path if relative.startswith(os.path.join("..", "..")) else Path(relative).as_posix()


def _node(key: str, node: object, indent: int) -> Iterator[str]:
    margin = " " * indent
    if isinstance(node, Choice):
        line = f"{margin}{as_flow(key)}: {as_flow(node.value)}"
        if len(line) > _WIDTH and isinstance(node.value, dict):
            yield from _line(f"{margin}{key}:", node.reason)
            yield from _block(node.value, indent + 2)
        else:
            yield from _line(line, node.reason)
    elif isinstance(node, Mapping):
        yield f"{margin}{key}:"
        for name, inner in node.items():
            yield from _node(name, inner, indent + 2)
    elif isinstance(node, Sequence):
        yield from _list(key, [item for item in node if isinstance(item, Choice)], indent)


def _block(value: Mapping[str, object], indent: int) -> Iterator[str]:
    """A mapping on several lines, with a line for each item of lists of mappings."""
    margin = " " * indent
    for key, inner in value.items():
        if isinstance(inner, list) and any(isinstance(item, dict) for item in inner):
            yield f"{margin}{key}:"
            yield from (f"{margin}  - {as_flow(item)}" for item in inner)
        else:
            yield f"{margin}{key}: {as_flow(inner)}"


def _list(key: str, items: Sequence[Choice], indent: int) -> Iterator[str]:
    margin = " " * indent
    if len(items) > _MOST_LINES:
        reasons = list(dict.fromkeys(item.reason for item in items))
        few = "; ".join(reasons[:3]) + (" ..." if len(reasons) > 3 else "")
        yield from _line(f"{margin}{key}: {as_flow([plain(item) for item in items])}", few)
        return
    yield f"{margin}{key}:"
    for item in items:
        yield from _line(f"{margin}  - {as_flow(item.value)}", item.reason)


def _line(code: str, reason: str) -> Iterator[str]:
    """The line with its reason behind it, or above it where both do not fit."""
    reason = _safe(reason)
    if not reason:
        yield code
    elif len(code) < _WIDTH - len(reason) - 4:
        yield f"{code:<{_COLUMN}}  # {reason}"
    else:
        margin = " " * (len(code) - len(code.lstrip()))
        for part in textwrap.wrap(reason, _WIDTH - len(margin) - 2):
            yield f"{margin}# {part}"
        yield code


def _safe(text: str) -> str:
    """Text that cannot end its comment: column names may hold line breaks."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
