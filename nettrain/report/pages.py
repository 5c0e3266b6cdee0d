"""Which page a directory gets: that of a run, of a sweep, of folds, or of runs side by side."""

from collections.abc import Sequence
from pathlib import Path

from nettrain.inspection.recorded_run import RecordedRun
from nettrain.report.overview import overview_page
from nettrain.report.run_sections import run_page
from nettrain.report.run_view import RunView
from nettrain.report.section import Page


def page_of(paths: Sequence[Path], *, allow_plugins: bool = False, part: str | None = None) -> Page:
    """The page about one directory or several.

    Args:
        paths: Of runs, ensembles, sweeps or cross-validations.
        allow_plugins: Whether Python files that configurations name may be imported.
        part: test, validation or train; None: the first of these that has rows.

    Raises:
        RunError: One of them is no such directory.
    """
    records = [RecordedRun.open(path) for path in paths]
    if len(records) == 1 and records[0].kind in ("run", "ensemble"):
        return run_page(RunView(records[0], allow_plugins=allow_plugins, chosen_part=part))
    return overview_page(records, allow_plugins=allow_plugins, part=part)
