"""Shell completion of names and files. The shell asks at every key: nothing heavy is imported."""

from collections.abc import Iterator
from pathlib import Path


def complete_name(incomplete: str) -> Iterator[str]:
    """Complete components, bare and with their kind, and kinds, sections and keys."""
    from nettrain.config.explanation import catalogue

    known = catalogue()
    short = dict.fromkeys(full.rpartition(".")[2] for full in known)
    yield from (
        name
        for name in (*short, *known)
        if name.startswith(incomplete) and ("." in incomplete) == ("." in name)
    )


def complete_config(incomplete: str) -> Iterator[str]:
    """Complete YAML files, and folders on the way to them."""
    typed = Path(incomplete)
    folder = typed if incomplete.endswith("/") or not incomplete else typed.parent
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for path in entries:
        text = f"{path}/" if path.is_dir() else str(path)
        is_offered = path.is_dir() or path.suffix in (".yaml", ".yml")
        if text.startswith(incomplete) and is_offered and not path.name.startswith("."):
            yield text


def complete_example(incomplete: str) -> Iterator[str]:
    """Complete the names of packaged examples."""
    from nettrain.cli.packaged import examples

    yield from (name for name in examples() if name.startswith(incomplete))


def complete_run(incomplete: str) -> Iterator[str]:
    """Complete directories of runs as they are typed, and bare folders on the way to them."""
    from nettrain.inspection.directory_kind import kind_of

    typed = Path(incomplete)
    folder = typed if incomplete.endswith("/") or not incomplete else typed.parent
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for path in entries:
        text = str(path)
        if path.is_dir() and not path.name.startswith(".") and text.startswith(incomplete):
            yield text if kind_of(path) in ("run", "ensemble") else f"{text}/"
