"""`nettrain plot RUN --terminal`: curves as text, without the data of the run or matplotlib."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from nettrain.cli.output import write_stdout
from nettrain.errors import ConfigError


def draw_in_terminal(words: Sequence[str], output: Path | None, *, allow_plugins: bool) -> None:
    """Print the figure on stdout: as wide as the terminal, coloured where it is one.

    Args:
        words: A run, and what to draw; without it the learning curves.
        output: A file that the user named, which is refused.
        allow_plugins: Whether Python files that the configuration names may be imported.
    """
    from nettrain.report.run_view import open_view
    from nettrain.report.terminal import check_drawable, terminal_curves

    run, *rest = words
    if len(rest) > 1:
        raise ConfigError("--terminal: draws one run: nettrain plot RUN curves --terminal")
    check_drawable(rest[0] if rest else "curves")
    if output is not None:
        raise ConfigError(f"-o {output}: cannot be used together with --terminal")
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    width = shutil.get_terminal_size((80, 24)).columns
    view = open_view(Path(run), allow_plugins=allow_plugins)
    write_stdout((terminal_curves(view, width, coloured=coloured) + "\n").encode())
