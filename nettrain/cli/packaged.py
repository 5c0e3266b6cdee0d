"""The packaged examples: `nettrain fit digits` finds them where no such file exists."""

import re
from pathlib import Path

import typer

from nettrain.cli.output import say

_PACKAGE = Path(__file__).parents[1]
_FOLDERS = (_PACKAGE / "examples", _PACKAGE.parent / "configs")  # installed; in a checkout


def example_folder() -> Path:
    """Where the examples are: installed inside the package, in a checkout beside it."""
    return next((folder for folder in _FOLDERS if (folder / "digits.yaml").is_file()), _FOLDERS[0])


def examples() -> dict[str, Path]:
    """The packaged configurations by name: `digits`, `sweeps/digits_random`, `ensembles/digits`."""
    folder = example_folder()
    files = sorted(folder.rglob("*.yaml"))
    return {file.relative_to(folder).with_suffix("").as_posix(): file for file in files}


def example_files(example: Path, output: Path) -> dict[Path, bytes]:
    """What a copy of an example writes: the file itself, and beside it those that it names.

    A base or data file that stands outside the example's folder comes beside the copy, and the
    copy names it there.
    """
    text = example.read_text(encoding="utf-8")
    code = re.sub(r"#.*", "", text)
    files: dict[Path, bytes] = {}
    for named in dict.fromkeys(re.findall(r"[\w./-]+\.(?:csv|yaml|py)\b", code)):
        source, beside = example.parent / named, named.removeprefix("../")
        if source.is_file():
            files[output.parent / beside] = source.read_bytes()
            text = text.replace(named, beside)
    return {output: text.encode(), **files}


def find_config(context: typer.Context, config: Path | None) -> Path | None:
    """The file of a CONFIG argument: as given, or the packaged example of that name."""
    if config is None or context.resilient_parsing or config.suffix or config.exists():
        return config
    if any(config.with_suffix(ending).exists() for ending in (".yaml", ".yml")):
        return config  # the error that follows suggests that file
    example = examples().get(config.as_posix())
    if example is None:
        return config
    say(f"there is no file {str(config)!r} here; using the packaged example {example}")
    return example
