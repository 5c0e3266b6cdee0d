"""Which page a directory gets: that of a run, of a sweep, of folds, or of runs side by side."""

from collections.abc import Sequence
from pathlib import Path

from nettrain.inspection.recorded_run import RecordedRun, inner_runs
from nettrain.inspection.runs import run_entry
from nettrain.report.overview.comparison import comparison_sections
from nettrain.report.overview.folds import fold_sections
from nettrain.report.overview.members import member_sections
from nettrain.report.overview.runs import curves_section, runs_section
from nettrain.report.overview.sweep import sweep_sections
from nettrain.report.run_sections import run_sections
from nettrain.report.run_view import RunView
from nettrain.report.section import Page, Section, shown

CALLED = {"sweep": "trials", "cv": "folds", "ensemble": "members"}


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
    if len(records) > 1:
        title = ", ".join(record.path.absolute().name for record in records)
        sections = comparison_sections(records, allow_plugins=allow_plugins, part=part)
        return Page(title, [f"{len(records)} runs side by side"], list(sections))
    (record,) = records
    return Page(
        record.path.absolute().name,
        _summary(record),
        list(_sections(record, allow_plugins=allow_plugins, part=part)),
    )


def _sections(record: RecordedRun, *, allow_plugins: bool, part: str | None) -> list[Section]:
    if record.kind == "sweep":
        return list(sweep_sections(record, allow_plugins=allow_plugins))
    if record.kind == "cv":
        return list(fold_sections(record))
    view = RunView(record, allow_plugins=allow_plugins, chosen_part=part)
    own = list(run_sections(view))
    if record.kind == "run":
        return own
    inner = sorted(inner_runs(record), key=lambda run: (len(run.path.name), run.path.name))
    members = [*member_sections(view), runs_section(inner, "Runs of the members")]
    return [*own[:2], *members, *curves_section(inner), *own[2:]]


def _summary(record: RecordedRun) -> list[str]:
    """One line under the heading: what it is, how far it came, and the main metric."""
    entry = run_entry(record)
    facts = [{"cv": "cross-validation"}.get(record.kind, record.kind), entry.state]
    if record.kind in CALLED:
        inner = [run for run in inner_runs(record) if run.path.name != "final"]
        facts.append(f"{len(inner)} {CALLED[record.kind]}")
    for part, value in (("validation", entry.validation), ("test", entry.test)):
        if entry.metric and value is not None and (part == "test" or entry.test is None):
            name = entry.metric.replace("_", " ")
            where = "over the folds" if record.kind == "cv" else f"on the {part} part"
            facts.append(f"{name} {where}: {shown(float(value))}")
    return facts
