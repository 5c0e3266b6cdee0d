"""`nettrain compare`: runs side by side, and whether their differences are real or chance."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettrain.cli.completion import complete_run
from nettrain.cli.options import AllowPlugins, Json
from nettrain.cli.output import console, print_json, say

if TYPE_CHECKING:
    from nettrain.cli.table import NumberTable
    from nettrain.inspection.comparison import Comparison, Difference

LEVEL = 0.05


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN RUN...",
            help="Two or more runs, ensembles or cross-validations.",
            show_default=False,
            autocompletion=complete_run,
        ),
    ],
    part: Annotated[
        str, typer.Option("--part", metavar="NAME", help="test, validation or train.")
    ] = "test",
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="The metric that decides. Default: accuracy, label_accuracy or r2.",
            show_default=False,
        ),
    ] = None,
    allow_plugins: AllowPlugins = False,
    json: Json = False,
) -> None:
    """Show what differs between runs, their metrics, and whether the difference is real.

    Runs are tested on the same rows: McNemar's exact test for shares of right rows, the paired
    bootstrap for other metrics; cross-validations by the corrected resampled t-test over their
    folds. Choose the metric before you look: of many metrics one differs by chance.
    """
    from nettrain.errors import ConfigError, nearest
    from nettrain.inspection import compare as comparing

    comparison = comparing.compare(runs, part=part, allow_plugins=allow_plugins)
    known = list(dict.fromkeys(name for run in comparison.runs for name in run.metrics))
    if metric is not None and metric not in known:
        raise ConfigError(
            f"--metric {metric}: these runs have no such metric{nearest(metric, known)}"
        )
    if json:
        print_json(asdict(comparison))
    else:
        _report(comparison, metric or _main_metric(known))


def _main_metric(known: list[str]) -> str:
    from nettrain.inspection.runs import MAIN_METRICS

    return next((name for name in MAIN_METRICS if name in known), known[0] if known else "")


def _report(comparison: "Comparison", metric: str) -> None:
    labels = _labels([run.path for run in comparison.runs])
    out = console()
    if comparison.config:
        out.print(_config_table(comparison, labels), "")
    if any(run.metrics for run in comparison.runs):
        out.print(_metrics_table(comparison, labels))
    tested = [one for one in comparison.differences if one.metric == metric]
    if len(comparison.runs) > 2 and tested:
        out.print("", _pairs_table(tested, labels))
    for note in comparison.notes:
        say(f"note: {note}")
    for difference in tested:
        say(_verdict(difference, labels))


def _labels(paths: list[str]) -> dict[str, str]:
    """The directories' names where these are all different, else their paths."""
    names = [Path(path).name for path in paths]
    unique = len(set(names)) == len(names)
    return {path: name if unique else path for path, name in zip(paths, names, strict=True)}


def _config_table(comparison: "Comparison", labels: dict[str, str]) -> "NumberTable":
    from nettrain.cli.table import NumberTable
    from nettrain.config.messages import show

    table = NumberTable("configuration", *labels.values(), optional=())
    for key, values in comparison.config.items():
        table.add_row(key, *("-" if value is None else show(value) for value in values))
    return table


def _metrics_table(comparison: "Comparison", labels: dict[str, str]) -> "NumberTable":
    """Of two runs the difference too; the intervals of each stand in --json."""
    from nettrain.cli.render import INTERVAL, interval, number
    from nettrain.cli.table import NumberTable
    from nettrain.inspection.metric_rows import metric_rows

    runs, pair = comparison.runs, len(comparison.runs) == 2 and bool(comparison.differences)
    parts = {"folds": "mean of folds"}.get(comparison.part, comparison.part)
    spread = [f"{labels[run.path]} {INTERVAL}" for run in runs]
    headings = [
        heading
        for run, wide in zip(runs, spread, strict=True)
        for heading in (labels[run.path], wide)
    ]
    extra = ["difference", f"{INTERVAL} of it", "p"] if pair else []
    optional = [*reversed(spread), *extra[1:2]]
    table = NumberTable(parts, *headings, *extra, optional=optional)
    tested = {one.metric: one for one in comparison.differences}
    rows = metric_rows([run.metrics for run in runs if run.metrics])
    for name in rows.names:
        cells = [
            cell
            for run in runs
            for cell in (number(run.metrics.get(name)), interval(run.intervals.get(name)))
        ]
        if pair:
            one = tested.get(name)
            cells += (
                ["-", "-", "-"]
                if one is None
                else [_signed(one.difference), interval(one.interval), _p(one.p_value)]
            )
        table.add_row(name, *cells)
    table.caption = rows.remark
    return table


def _pairs_table(tested: "list[Difference]", labels: dict[str, str]) -> "NumberTable":
    from nettrain.cli.render import INTERVAL, interval
    from nettrain.cli.table import NumberTable

    headings = ("difference", INTERVAL, "p", "p (Holm)")
    table = NumberTable(tested[0].metric, *headings, optional=("p", INTERVAL))
    for one in tested:
        table.add_row(
            f"{labels[one.second]} - {labels[one.first]}",
            _signed(one.difference),
            interval(one.interval),
            _p(one.p_value),
            _p(one.adjusted),
        )
    return table


def _verdict(one: "Difference", labels: dict[str, str]) -> str:
    """One sentence on who is better, and whether that may be chance."""
    from nettrain.metrics import direction

    first, second = labels[one.first], labels[one.second]
    if one.difference == 0:
        return f"{one.metric}: {first} and {second} are equal"
    higher = direction(f"test_{one.metric}")
    better, worse = (
        (second, first) if (one.difference > 0) == (higher is not False) else (first, second)
    )
    lead = f"{one.metric}: {better} is better than {worse} by {abs(one.difference):.4g}"
    if one.adjusted is None:
        return f"{lead}; these rows cannot show whether that is chance"
    chance = "is unlikely to be" if one.adjusted <= LEVEL else "may be"
    p_value = "< 0.001" if one.adjusted < 0.001 else f"= {one.adjusted:.3f}"
    return f"{lead}; the difference {chance} chance ({one.test}: p {p_value})"


def _signed(value: float) -> str:
    from nettrain.cli.render import number

    return number(value) if value <= 0 else f"+{number(value)}"


def _p(value: float | None) -> str:
    return "-" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"
