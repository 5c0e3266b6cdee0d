"""The members of an ensemble, its vote against theirs, and how far they disagree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from nettrain.config.plugins import in_use
from nettrain.inference.ensemble import Ensemble
from nettrain.inference.voting import decisions, disagreement
from nettrain.inspection.intervals import Interval, metric_intervals, resampled_metrics
from nettrain.inspection.runs import MAIN_METRICS
from nettrain.inspection.statistics.bootstrap import percentile_interval
from nettrain.metrics import Outcome, all_metrics, direction, outcome_of
from nettrain.report.inline import inline_svg
from nettrain.report.overview.interval_chart import Bar, interval_chart
from nettrain.report.run_view import RunView
from nettrain.report.section import Cell, Section, Table, interval
from nettrain.report.style import styled
from nettrain.training.engine.blas import one_blas_thread

MOST_DRAWN = 40  # members
SPREADS = 4  # groups of rows by how far the members' values are apart


@dataclass(frozen=True)
class _Voter:
    """The ensemble or one member, on the rows that are shown."""

    name: str
    outcome: Outcome
    metrics: dict[str, float]


def member_sections(view: RunView) -> Iterator[Section]:
    """The sections in order; none where the rows are gone or it is no ensemble."""
    if view.lacks("rows") or not isinstance(view.predictor, Ensemble):
        return
    ensemble, truth = view.predictor, view.predictor.truth(view.dataset)
    with one_blas_thread():
        predictions = ensemble.member_predictions(view.dataset)
    with in_use(ensemble.config.plugins):
        voters = [
            _Voter(name, outcome, all_metrics(outcome, ensemble.metrics))
            for name, one in zip(_names(view, len(predictions)), predictions, strict=True)
            for outcome in [outcome_of(ensemble.task, truth, one, ensemble.decision)]
        ]
        own = _Voter("ensemble", view.outcome, view.evaluation.metrics)
        main = next((name for name in MAIN_METRICS if name in own.metrics), None)
        yield _members(view, own, voters, main)
        yield from _vote(view, own, voters)
        yield _agreement(view, predictions)


def _names(view: RunView, count: int) -> Sequence[str]:
    recorded = view.record.summary.get("members")
    known = [str(one.get("member")) for one in recorded] if isinstance(recorded, list) else []
    return known if len(known) == count else [f"member-{i + 1}" for i in range(count)]


def _members(view: RunView, own: _Voter, voters: list[_Voter], main: str | None) -> Section:
    weights = cast(Ensemble, view.predictor).weights
    names = list(own.metrics)
    rows: list[list[Cell]] = [
        [one.name, float(weight), *(one.metrics.get(name) for name in names)]
        for one, weight in zip(voters, weights, strict=True)
    ]
    rows.append(["ensemble", None, *own.metrics.values()])
    picture = ""
    if main:
        bars = [
            Bar(one.name, one.metrics[main], _intervals(one, main).get(main), one is own)
            for one in [own, *voters[:MOST_DRAWN]]
            if main in one.metrics
        ]
        mean = float(np.mean([one.metrics[main] for one in voters if main in one.metrics]))
        with styled():
            label = f"{main.replace('_', ' ')} on {len(view.dataset):,} rows ({view.part} part)"
            picture = inline_svg(interval_chart(bars, label, mean), "members", "Members")
    return Section(
        "Members",
        "The diamond is the ensemble, the dashed line the mean of its members, and the lines are "
        "95 % intervals: an ensemble is worth its cost where it lies beyond the members.",
        picture,
        [Table(["member", "weight", *names], rows)],
    )


def _intervals(voter: _Voter, metric: str) -> dict[str, Interval]:
    return metric_intervals({metric: voter.metrics[metric]}, voter.outcome, None)


def _vote(view: RunView, own: _Voter, voters: list[_Voter]) -> Iterator[Section]:
    """The ensemble against the mean of the members and the one that is best on these rows."""
    metrics = {n: m for n, m in view.predictor.metrics.items() if n in own.metrics}
    resampled = [resampled_metrics(metrics, one.outcome, None) for one in (own, *voters)]
    against_mean: list[list[Cell]] = []
    against_best: list[list[Cell]] = []
    for name, value in own.metrics.items():
        values = [one.metrics[name] for one in voters if name in one.metrics]
        if len(values) < len(voters) or any(name not in one for one in resampled):
            continue
        best = int(np.argmax(values) if direction(f"test_{name}") else np.argmin(values))
        samples = resampled[0][name]
        of_members = np.array([one[name] for one in resampled[1:]])
        mean = float(np.mean(values))
        ends = percentile_interval(samples - of_members.mean(axis=0))
        against_mean.append([name, value, mean, value - mean, interval(ends)])
        ends = percentile_interval(samples - of_members[best])
        against_best.append(
            [name, value, values[best], value - values[best], interval(ends), voters[best].name]
        )
    if against_mean:
        headings = ["metric", "ensemble", "members", "difference", "95 % interval"]
        of_best = ["metric", "ensemble", "best", "difference", "95 % interval", "which"]
        yield Section(
            "Vote",
            "Differences are the ensemble minus the mean or the best of its members, on the same "
            "rows: an interval that holds 0 may be chance.",
            tables=[
                Table(headings, against_mean, "Against the mean of the members"),
                Table(of_best, against_best, "Against the best member"),
            ],
            notes=["Best on these very rows, which favours the member: no one knows it before."],
        )


def _agreement(view: RunView, predictions: np.ndarray) -> Section:
    task = view.predictor.task
    apart = disagreement(predictions, task)
    if task == "regression":
        table, said = _by_spread(view, predictions), f"{apart or 0:.4g} (standard deviation)"
        reading = (
            "Rows are divided by how far the members' values are apart; where the error grows with "
            "the spread, the spread tells how far to trust a prediction."
        )
        notes = [f"Members are {said} apart on the mean."]
    else:
        table = _by_votes(view, predictions)
        what = "a row" if task == "classification" else "a label of a row"
        notes = [f"Two members decide differently on {apart or 0:.2%} of cases, {what} each."]
        reading = (
            "Rows are divided by how many members decide as the ensemble does; rows on which they "
            "disagree deserve a second look."
        )
    return Section("Agreement of the members", reading, tables=[table], notes=notes)


def _by_votes(view: RunView, predictions: np.ndarray) -> Table:
    """The share of right rows (or rows and labels) by how many members agree with the vote."""
    outcome, count = view.outcome, len(predictions)
    voted = decisions(predictions, view.predictor.task)  # (m, n, k)
    final = decisions(view.predictor.predictions_of(view.dataset), view.predictor.task)
    truth = outcome.positives  # type: ignore[union-attr]  # classes and labels have it
    if view.predictor.task == "classification":
        agreeing = (voted & final).any(axis=2).sum(axis=0)
        right = (final & truth).any(axis=1)
    else:
        agreeing, right = (voted == final).sum(axis=0), final == truth
    rows: list[list[Cell]] = []
    for k in range(count, -1, -1):
        chosen = agreeing == k
        if chosen.any():
            own = f"{k} of {count}"
            rows.append([own, int(chosen.sum()), float(chosen.mean()), float(right[chosen].mean())])
    what = "rows" if view.predictor.task == "classification" else "labels"
    return Table(["members that agree", what, "share", "of these right"], rows)


def _by_spread(view: RunView, predictions: np.ndarray) -> Table:
    """The mean absolute error of the ensemble by the spread of its members."""
    spread = predictions.astype(np.float64).std(axis=0).mean(axis=1)
    error = np.abs(view.outcome.errors).mean(axis=1)  # type: ignore[union-attr]  # of values
    groups = np.array_split(np.argsort(spread, kind="stable"), min(SPREADS, len(spread)))
    rows: list[list[Cell]] = [
        [f"{spread[g[0]]:.3g} to {spread[g[-1]]:.3g}", len(g), float(error[g].mean())]
        for g in groups
    ]
    return Table(["spread of the members", "rows", "mean absolute error"], rows)
