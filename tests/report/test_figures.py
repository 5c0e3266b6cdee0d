"""Every kind of figure: for which runs it is there, and that it shows their data."""

import json
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

import nettrain
from nettrain.cli.main import app
from nettrain.report.plot import plot_names, plot_of
from nettrain.report.run_view import open_view
from nettrain.report.style import figure_bytes, styled

ALL = {"curves", "errors", "weights", "embedding"}
PROBABLE = {"roc", "pr", "calibration"}
COLUMNS = {"importance", "dependence"}
KINDS = {
    "classes": ALL | PROBABLE | COLUMNS | {"confusion"},
    "values": ALL | COLUMNS | {"residuals"},
    "line": ALL | COLUMNS | {"residuals", "fit"},
    "plane": ALL | PROBABLE | COLUMNS | {"confusion", "boundary"},
    "labels": ALL | PROBABLE | COLUMNS,
    "images": ALL | PROBABLE | {"confusion", "filters", "feature_maps", "diagnostics"},
}


def drawn(view, kind):
    with styled():
        figure = plot_of(kind).draw(view)
    assert isinstance(figure, Figure)
    return figure


@pytest.mark.parametrize("run", KINDS)
def test_a_run_has_the_figures_of_its_task(views, run):
    view = views[run]
    found = {kind for kind in plot_names() if plot_of(kind).lacks(view) is None}
    assert found == KINDS[run]


ON_PAGES = ("classes", "values", "labels", "images")  # test_pages.py counts their pictures


@pytest.mark.parametrize("run", KINDS)
def test_every_figure_of_a_run_is_drawn_and_saved(views, run):
    earlier = ON_PAGES[: ON_PAGES.index(run)] if run in ON_PAGES else ()
    for kind in KINDS[run].difference(*(KINDS[one] for one in earlier)):
        svg = figure_bytes(drawn(views[run], kind), "svg").decode()
        assert svg.count("<path") > 3 or svg.count("<image") > 3, kind


@pytest.mark.parametrize("kind", plot_names())
def test_every_kind_says_in_one_sentence_how_to_read_it(kind):
    plot = plot_of(kind)
    assert plot.name == kind and plot.title
    assert plot.reading.endswith(".") and plot.reading.count(". ") == 0


def test_every_kind_is_drawn_for_some_run():
    assert set(plot_names()) == set().union(*KINDS.values()) | {"first_layer", "lr", "descent"}


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_the_confusion_matrix_holds_every_row(views):
    view = views["classes"]
    numbers = [int(text) for text in texts(drawn(view, "confusion"))]
    assert numbers == view.outcome.confusion_matrix.ravel().tolist()


def test_the_curves_are_the_metrics_of_each_epoch(views):
    view = views["classes"]
    lines = {line.get_label(): line for line in drawn(view, "curves").axes[0].lines}
    for part in ("train", "validation"):
        expected = [row[f"{part}_loss"] for row in view.record.epochs]
        assert list(lines[part].get_ydata()) == expected


def test_bars_of_the_importance_are_its_means(views):
    figure = drawn(views["values"], "importance")
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == [one.mean for one in views["values"].importance.features]


def test_the_weights_counted_are_those_of_the_layer(views):
    view = views["values"]
    counts = [patch.get_height() for patch in drawn(view, "weights").axes[0].patches]
    assert sum(counts) == next(iter(view.weights.values())).size


def test_dollar_signs_in_names_are_no_formula(views):
    svg = figure_bytes(drawn(views["classes"], "confusion"), "svg").decode()
    assert "a $ b $ c" in svg and "&lt;script&gt;" in svg


def test_first_layer_weights_are_images(tmp_path):
    random = np.random.Generator(np.random.PCG64(0))
    x, y = random.random((40, 4, 4)), random.integers(0, 2, 40)
    config = {"model": {"type": "mlp", "hidden": [3]}, "training": {"epochs": 1}}
    nettrain.train(config, data=(x, y), output_directory=tmp_path, run_name="run")
    view = open_view(tmp_path / "run")
    assert plot_of("first_layer").lacks(view) is None
    shown = [axes.images[0].get_array() for axes in drawn(view, "first_layer").axes]
    assert len(shown) == 3
    units = view.weights["dense_1.w"].T.reshape(3, 4, 4)
    assert sorted(image.sum() for image in shown) == pytest.approx(sorted(units.sum(axis=(1, 2))))


def test_five_hundred_classes_are_legible(tmp_path):
    random = np.random.Generator(np.random.PCG64(0))
    y = np.array([f"class number {i % 500:03}" for i in range(3000)])
    config = {
        "model": {"type": "mlp", "hidden": [4]},
        "training": {"epochs": 1},
        "dataset": {"source": {"type": "csv", "path": "many.csv", "target": "y"}},
    }
    rows = [
        f"{a:.3f},{b:.3f},{name}"
        for (a, b), name in zip(random.normal(0, 1, (3000, 2)), y, strict=True)
    ]
    (tmp_path / "many.csv").write_text("\n".join(["a,b,y", *rows, ""]))
    config["dataset"]["source"]["path"] = str(tmp_path / "many.csv")
    nettrain.train(config, output_directory=tmp_path, run_name="run")
    view = open_view(tmp_path / "run")
    figure = drawn(view, "confusion")
    assert len(figure.axes[0].get_xticklabels()) <= 25 and not texts(figure)
    assert len(drawn(view, "roc").axes[0].get_legend().get_texts()) <= 9
    for kind in ("confusion", "roc", "pr", "embedding"):
        assert len(figure_bytes(drawn(view, kind), "svg")) < 1_000_000, kind


def test_a_test_part_of_one_row_shows_what_one_row_can(tmp_path):
    (tmp_path / "rows.csv").write_text("\n".join(["a,y", *(f"{i},{i % 2}" for i in range(10)), ""]))
    source = {"type": "csv", "path": str(tmp_path / "rows.csv"), "target": "y"}
    split = {"rows": {"train": [0, 9], "test": [9, 10]}}
    config = {
        "dataset": {"source": source, "split": split},
        "model": "mlp",
        "training": {"epochs": 1},
    }
    nettrain.train(config, output_directory=tmp_path, run_name="run")
    view = open_view(tmp_path / "run")
    assert len(view.dataset) == 1
    lacking = {kind: plot_of(kind).lacks(view) for kind in plot_names()}
    assert "one row" in lacking["importance"] and "one class" in lacking["roc"]
    for kind, reason in lacking.items():
        if reason is None:
            figure_bytes(drawn(view, kind), "png")


def test_of_a_run_whose_data_is_gone_the_curves_and_weights_remain(without_data):
    view = open_view(without_data)
    kept = {kind for kind in plot_names() if plot_of(kind).lacks(view) is None}
    assert kept == {"curves", "weights"}
    assert "handed in from Python" in plot_of("confusion").lacks(view)


def test_an_unfinished_run_shows_its_curves(trained, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("config.yaml", "metrics.jsonl", "environment.json"):
        (run / name).write_bytes((trained / "classes" / name).read_bytes())
    view = open_view(run)
    assert {kind for kind in plot_names() if plot_of(kind).lacks(view) is None} == {"curves"}
    drawn(view, "curves")


def test_a_diverged_run_leaves_out_what_is_not_finite(trained, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_bytes((trained / "classes" / "config.yaml").read_bytes())
    rows = [
        {"epoch": i, "step": i, "train_loss": loss, "lr": 0.1} for i, loss in ((1, 2.0), (2, None))
    ]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert list(drawn(open_view(run), "curves").axes[0].lines[0].get_ydata()) == [2.0]


def plot(*words):
    return CliRunner().invoke(app, ["plot", *map(str, words)])


def test_plot_lists_the_figures_and_why_others_are_not_there(trained):
    listed = plot(trained / "values")
    assert "residuals" in listed.stdout and "it does not predict classes" in listed.stdout


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_plot_writes_a_picture_and_never_over_another_unasked(trained, tmp_path, ending):
    output = tmp_path / f"curves.{ending}"
    assert plot(trained / "classes", "curves", "-o", output).exit_code == 0
    first = output.read_bytes()
    refused = plot(trained / "classes", "curves", "-o", output)
    assert refused.exit_code == 2 and "--overwrite" in refused.stderr
    assert plot(trained / "classes", "curves", "-o", output, "--overwrite").exit_code == 0
    assert output.read_bytes() == first


@pytest.mark.parametrize(("words", "expected"), [
    (["confuson"], "did you mean 'confusion'"),
    (["residuals"], "it does not predict values"),
    (["boundary", "--features", "width,hieght"], "did you mean 'height'"),
    (["boundary", "--features", "width,colour"], "holds texts"),
    (["boundary"], "name two numeric ones"),
    (["dependence", "--features", "widht"], "did you mean 'width'"),
    (["roc", "--part", "tset"], "did you mean 'test'"),
    (["curves", "-o", "curves.jpg"], ".png or .svg or .pdf"),
])  # fmt: skip
def test_what_is_wrong_is_exit_2_and_says_what_is_right(trained, tmp_path, words, expected):
    output = [] if "-o" in words else ["-o", tmp_path / "x.png"]
    failed = plot(trained / "classes", *words, *output)
    assert failed.exit_code == 2 and expected in failed.stderr


def test_training_and_help_never_import_matplotlib(tmp_path):
    code = (
        "import sys, nettrain, numpy as np, nettrain.cli.main\n"
        "x = np.random.default_rng(0).normal(0, 1, (20, 2))\n"
        "config = {'model': 'mlp', 'training': {'epochs': 1}}\n"
        "nettrain.train(config, data=(x, np.arange(20) % 2), output_directory=sys.argv[1])\n"
        "print(sorted({'matplotlib', 'jinja2', 'nettrain.report'} & set(sys.modules)))\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "[]\n"
