"""What the shell completes: names that can be explained, YAML files. It is asked at every key, so nothing heavy is imported."""

from collections.abc import Iterator
from pathlib import Path


def complete_name(incomplete: str) -> Iterator[str]:
    """Components by their files' names, bare and with their kind; kinds and the sections of a configuration."""
    from nettrain.config.explanation import catalogue

    known = catalogue()
    short = dict.fromkeys(full.rpartition(".")[2] for full in known)
    yield from (
        name
        for name in (*short, *known)
        if name.startswith(incomplete) and ("." in incomplete) == ("." in name)
    )


def complete_config(incomplete: str) -> Iterator[str]:
    """YAML files, and folders on the way to them."""
    typed = Path(incomplete)
    folder = typed if incomplete.endswith("/") or not incomplete else typed.parent
    try:
        found = sorted(folder.iterdir())
    except OSError:
        return
    for path in found:
        text = f"{path}/" if path.is_dir() else str(path)
        if (
            text.startswith(incomplete)
            and (path.is_dir() or path.suffix in (".yaml", ".yml"))
            and not path.name.startswith(".")
        ):
            yield text
