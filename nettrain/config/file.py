"""Reading a YAML file with all that it extends, before any of it is validated."""

from pathlib import Path

from nettrain.config import messages
from nettrain.config.extends import inherit
from nettrain.config.yaml_text import Document, read
from nettrain.errors import ConfigError, nearest
from nettrain.files import open_regular

MAX_BYTES = 4 * 256 * 1024  # no character of UTF-8 takes more than four
_SWEEP_KEYS = {"base", "parameters"}


def whole(path: Path) -> Document:
    """Read a file with all that it extends."""
    return inherit(document_at(path), path.parent, document_at, (path.resolve(),))


def document_at(path: Path) -> Document:
    """Read a file's values and their places. Raises ConfigError where it holds no mapping."""
    document = read(_text(path), lambda line: f"{path}:{line}")
    document.folders[str(path)] = path.absolute().parent
    if document.value is None and not document.problems:
        raise ConfigError(
            f"{path}: is empty; a configuration has at least the keys dataset and model"
        )
    if not isinstance(document.value, dict):
        raise ConfigError(
            f"{path}: expected a mapping with keys such as dataset and model, "
            f"got {messages.show(document.value)}"
        )
    return document


def refuse_sweep(document: Document, path: Path | None) -> None:
    """Raises ConfigError for a sweep where a run is expected: one line for all its keys."""
    value = document.value
    if not isinstance(value, dict) or {"dataset", "model"} <= value.keys():
        return
    if _SWEEP_KEYS & value.keys():
        place = "" if path is None else f"{path}: "
        command = "nettrain.sweep" if path is None else f"nettrain sweep {path}"
        raise ConfigError(f"{place}this is a sweep: run it with `{command}`")


def _text(path: Path) -> str:
    try:
        with open_regular(path) as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ConfigError(f"{path}: is too large for a configuration; is this a data file?")
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(f"{path}: does not exist{_nearby(path)}") from None
    except IsADirectoryError:
        inside = path / "config.yaml"
        hint = f"; did you mean {str(inside)!r}?" if inside.is_file() else ""
        raise ConfigError(f"{path}: is a folder, not a YAML file{hint}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise ConfigError(
            f"{path}:{line}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8"
        ) from None
    except ValueError as error:  # a path with a NUL character
        raise ConfigError(f"{str(path)!r}: {error}") from None


def _nearby(path: Path) -> str:
    """A hint: the YAML file with the nearest name, or that the folder is missing."""
    folder = path.parent
    if not folder.is_dir():
        return f"; nor does the folder {str(folder)!r}"
    known = {file.stem: file for file in folder.iterdir() if file.suffix in (".yaml", ".yml")}
    hint = nearest(path.stem, known)
    for stem, file in known.items():
        hint = hint.replace(f" {stem!r}?", f" {str(folder / file.name)!r}?")
    return hint
