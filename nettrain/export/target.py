"""What a target of `nettrain export` is given, and what it says of what it wrote."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Request:
    """One export, as the command line asks for it.

    Attributes:
        subject: A run directory, a checkpoint, an ensemble or a sweep.
        output: What to write; None: the target's default.
        overwrite: Whether an existing output may be replaced.
        allow_plugins: Whether the Python files that the configuration names may be imported.
        options: Those of single targets, such as `opset`, that were given.
    """

    subject: Path
    output: Path | None = None
    overwrite: bool = False
    allow_plugins: bool = False
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        lines: For people.
        summary: The same for programs: what `--json` prints.
        content: Of the file that the command is to write; None: the target has written all.
    """

    lines: list[str]
    summary: dict[str, Any]
    content: bytes | None = None
