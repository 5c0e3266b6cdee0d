"""The benchmark of tables keeps its promises: the same rows for all, honest figures, and fits that can be repeated."""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "tables"
NAMES = ("aggregate", "catalogue", "measure", "methods", "networks", "peers", "prepare", "readers",
         "render", "results", "splits", "task")  # fmt: skip


@pytest.fixture(scope="module")
def benchmark():
    """Its modules, which import each other as scripts of one folder do."""
    pytest.importorskip("pandas")
    pytest.importorskip("sklearn")
    sys.path.insert(0, str(FOLDER))
    try:
        yield SimpleNamespace(**{name: __import__(name) for name in NAMES})
    finally:
        sys.path.remove(str(FOLDER))
        for name in NAMES:
            sys.modules.pop(name, None)


@pytest.fixture
def tiny(benchmark, tmp_path, monkeypatch):
    """A table of 60 rows with a category, missing cells, and two classes that a line divides."""
    import pandas as pd

    rows = np.arange(60)
    frame = pd.DataFrame(
        {
            "a number": np.where(rows % 17 == 3, np.nan, rows / 10),
            "text": np.where(rows % 2 == 0, "even", "odd"),
            "class": np.where(rows < 30, "low", "high"),
        }
    )
    table = benchmark.catalogue.Table(lambda: frame, "class", "classification")
    monkeypatch.setitem(benchmark.catalogue.TABLES, "tiny", table)
    monkeypatch.setattr(benchmark.splits, "FILE", tmp_path / "splits.json")
    benchmark.prepare.prepare("tiny", table, tmp_path, write=True)
    return table


@pytest.mark.parametrize("official", [0, 13])
def test_a_split_takes_every_row_once_and_keeps_the_classes(benchmark, official):
    classes = np.repeat(["a", "b", "c"], [50, 20, 43])
    part = benchmark.splits.parts("some", 1, classes, official)
    train, validation, test = np.bincount(part, minlength=3)
    assert (train + validation + test, (part[100:] == 2).all()) == (113, bool(official))
    if official:
        assert (train, validation, test) == (80, 20, 13)
    else:
        assert [np.bincount(part[classes == one]).tolist() for one in "ab"] == [[30, 10, 10], [12, 4, 4]]  # fmt: skip
    assert (part != benchmark.splits.parts("some", 2, classes, official)).any()


def test_another_split_than_the_recorded_one_is_noticed(benchmark, tiny, tmp_path):
    (tmp_path / "tiny-0.npz").unlink()
    benchmark.prepare.prepare("tiny", tiny, tmp_path)
    changed = replace(tiny, read=lambda: tiny.read().iloc[::-1])
    (tmp_path / "tiny-0.npz").unlink()
    with pytest.raises(ValueError, match="tiny: its rows or their split are not those of"):
        benchmark.prepare.prepare("tiny", changed, tmp_path)


@pytest.mark.parametrize("method", ["before", "linear"])
def test_a_method_is_fitted_and_measured(benchmark, tiny, tmp_path, method):
    if method == "before":
        pytest.importorskip("numba")
    fit = benchmark.measure.fit(method, "tiny", 0, tmp_path, threads=1)
    assert fit.key == (method, "tiny", 0) and fit.score >= 0.75 and 0 < fit.log_loss < 1
    assert min(fit.fit_cpu, fit.fit_wall, fit.predict_wall, fit.peak_mb) > 0
    benchmark.results.append(tmp_path / "results.csv", replace(fit, score=0.1))
    benchmark.results.append(tmp_path / "results.csv", fit)
    benchmark.results.tidy(tmp_path / "results.csv", [method])
    (read,) = benchmark.results.read(tmp_path / "results.csv").values()
    assert (read.version, read.score) == (fit.version, pytest.approx(fit.score, abs=1e-6))


def test_every_network_of_nettrain_reads_the_rows_of_the_split(benchmark, tiny, tmp_path):
    from nettrain.config.load import load

    task, _, _ = benchmark.measure.load("tiny", 0, tmp_path, 1, tmp_path)
    for config in (benchmark.networks.proposed(task), benchmark.networks.plain(type="mlp")(task)):
        loaded = load(config)
        assert loaded.dataset.split.file == str(task.rows) and loaded.seed == 0


def test_aggregates_are_those_computed_by_hand(benchmark):
    def fits(method, table, *scores):
        return [
            benchmark.results.Fit(method, table, i, "1", score, None, 1.0, 1.0, 0.1, 0.1, 100.0)
            for i, score in enumerate(scores)
        ]

    all_fits = [
        *fits("histgb", "wdbc", 0.90, 0.92), *fits("tabular", "wdbc", 0.95, 0.97), *fits("linear", "wdbc", 0.95, 0.97),
        *fits("histgb", "boston", 0.5, 0.7), *fits("tabular", "boston", 0.4, 0.2), *fits("linear", "boston", None),
    ]  # fmt: skip
    comparison = benchmark.aggregate.Comparison(all_fits, {"wdbc": 569, "boston": 506})
    tabular, reference = comparison.aggregate("tabular"), comparison.aggregate("histgb")
    assert tabular.error == pytest.approx((0.04 / 0.09 * 0.7 / 0.4) ** 0.5)
    assert tabular.regression_error == pytest.approx(0.7 / 0.4) and reference.error == 1
    assert (tabular.rank, tabular.normalised, reference.rank) == (1.5, 0.5, 1.5)
    assert comparison.aggregate("linear").rank is None  # it failed on one table
    assert comparison.duel("tabular", "histgb") == benchmark.aggregate.Duel(1, 1, 1, 0)
    text = benchmark.render.markdown(all_fits)
    assert "| nettrain, tabular | 2 | 0.88 | 1.75 | 0.44 |" in text


def test_a_perfect_score_has_half_an_error(benchmark):
    fit = benchmark.results.Fit("tabular", "iris", 0, "1", 1.0)
    other = replace(fit, method="histgb", score=0.9)
    comparison = benchmark.aggregate.Comparison([fit, other], {"iris": 150})
    assert comparison.relative_error("tabular", "iris") == pytest.approx(0.5 / 30 / 0.1)


def test_five_tables_are_held_out_and_have_no_published_results(benchmark):
    tables = benchmark.catalogue.TABLES
    assert sum(table.held_out for table in tables.values()) == 5
    fits = benchmark.results.read(benchmark.results.FILE)
    assert all(table in tables and method in benchmark.methods.METHODS for method, table, _ in fits)
