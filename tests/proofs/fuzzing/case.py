"""One input of the fuzzer: some files, what is called with them, and the arguments of the call."""

import base64
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PREPARED = "/" + "prepared".center(
    47, "-"
)  # stands for the folder of what a kind has prepared, whose path is as long
Content = bytes | str  # a string: what stands there instead of a regular file
FIFO, ENDLESS, FOLDER, DANGLING = "fifo", "endless", "folder", "dangling"


@dataclass(frozen=True)
class Case:
    """An input that a file of the corpus can hold.

    Attributes:
        kind: The module of `kinds` that runs it.
        arguments: JSON; what they mean is the kind's.
        files: By relative path; a string in place of bytes is FIFO, ENDLESS (a link to a device),
            FOLDER or DANGLING (a link to nothing).
    """

    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Content] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Put the files into a folder, in place of what is there."""
        for name, content in self.files.items():
            path = folder / name
            _make_parents(path)
            if isinstance(content, bytes):
                place = str(folder.parent / "prepared").encode()
                _write(path, content.replace(PREPARED.encode(), place))
                continue
            _remove(path)
            match content:
                case "fifo":
                    os.mkfifo(path)
                case "endless":
                    path.symlink_to("/dev/zero")
                case "dangling":
                    path.symlink_to(folder / "nothing")
                case _:
                    path.mkdir()

    def size(self) -> int:
        """Bytes in all."""
        return sum(len(content) for content in self.files.values())

    def to_json(self, **more: object) -> str:
        """The text of a corpus file; readable files stay readable."""
        files = {name: _written(content) for name, content in self.files.items()}
        content = {"kind": self.kind, "arguments": self.arguments, "files": files, **more}
        return json.dumps(content, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Case":
        """What `to_json` wrote."""
        content = json.loads(text)
        files = {name: _read(written) for name, written in content["files"].items()}
        return cls(content["kind"], content["arguments"], files)


def _write(path: Path, content: bytes) -> None:
    try:
        file = path.open("xb", buffering=0)
    except FileExistsError:
        _remove(path)
        file = path.open("xb", buffering=0)
    with file:
        file.write(content)


def _make_parents(path: Path) -> None:
    if path.parent.is_dir():
        return
    for parent in reversed(path.parents):
        if not parent.is_dir():
            _remove(parent)
            parent.mkdir()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _written(content: Content) -> dict[str, str]:
    if isinstance(content, str):
        return {"special": content}
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if text.isprintable() or (text.replace("\n", "").isprintable() and "\r" not in text):
        return {"text": text}
    return {"base64": base64.b64encode(content).decode()}


def _read(written: dict[str, str]) -> Content:
    [(how, value)] = written.items()
    match how:
        case "special":
            return value
        case "text":
            return value.encode("utf-8")
        case _:
            return base64.b64decode(value)
